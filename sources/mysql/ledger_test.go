package mysql

import (
	"fmt"
	"strings"
	"testing"
)

// ledger is a bank of the kind that pgbench has: every transaction adds the same
// amount to an account, a teller and a branch, and enters it in the history.
const ledger = `
CREATE TABLE accounts (id INT PRIMARY KEY, balance INT NOT NULL, filler CHAR(84)) ENGINE=InnoDB;
CREATE TABLE tellers (id INT PRIMARY KEY, balance INT NOT NULL) ENGINE=InnoDB;
CREATE TABLE branches (id INT PRIMARY KEY, balance INT NOT NULL) ENGINE=InnoDB;
CREATE TABLE history (id BIGINT AUTO_INCREMENT PRIMARY KEY, account INT NOT NULL, delta INT NOT NULL, FOREIGN KEY (account) REFERENCES accounts (id)) ENGINE=InnoDB;
CREATE TABLE today (n INT) ENGINE=InnoDB;
CREATE TABLE shape (n INT) ENGINE=InnoDB;
INSERT INTO accounts SELECT seq, 0, 'x' FROM seq_1_to_20000;
INSERT INTO tellers SELECT seq, 0 FROM seq_1_to_10;
INSERT INTO branches VALUES (1, 0), (2, 0);
`

// balances has one line if the books balance.
const balances = `SELECT SUM(balance) FROM accounts UNION SELECT SUM(balance) FROM tellers UNION SELECT SUM(balance) FROM branches UNION SELECT SUM(delta) FROM history;`

// TestTheBooksBalanceInACopy that was made while transactions, changes of
// definitions, TRUNCATE and inserts went on.
func TestTheBooksBalanceInACopy(t *testing.T) {
	db := database(t, shared)
	client(t, shared, "USE "+quote(db)+";"+ledger)
	var w writer
	defer w.end()
	for k := range 2 { // each has rows of its own, so that they never wait for each other
		w.write(t, shared, db, func(n int) []string {
			account, teller, delta := 1+k+n*7919%10000*2, 1+k+n%5*2, n%1000-400
			return []string{
				"START TRANSACTION",
				fmt.Sprintf("UPDATE branches SET balance=balance+%d WHERE id=%d", delta, 1+k),
				fmt.Sprintf("UPDATE tellers SET balance=balance+%d WHERE id=%d", delta, teller),
				fmt.Sprintf("UPDATE accounts SET balance=balance+%d WHERE id=%d", delta, account),
				fmt.Sprintf("INSERT INTO history (account, delta) VALUES (%d, %d)", account, delta),
				"COMMIT",
			}
		})
	}
	w.write(t, shared, db, func(int) []string {
		return []string{"TRUNCATE TABLE today", "INSERT INTO today VALUES (1),(2),(3)", "DO SLEEP(0.05)"}
	})
	w.write(t, shared, db, func(int) []string {
		return []string{"ALTER TABLE shape ADD COLUMN note INT", "DO SLEEP(0.2)", "ALTER TABLE shape DROP COLUMN note", "DO SLEEP(0.2)"}
	})
	eventually(t, "writers write", func() bool { return w.times.Load() > 50 })
	for range 2 {
		before := w.times.Load()
		saved, _ := mustTake(t, sourceOf(t, shared, db))
		mustRestore(t, RestoreOptions{Saved: saved, URL: second(t).URL(db), Create: true, Overwrite: true})
		if got := client(t, secondServer, "USE "+quote(db)+";"+balances); strings.Count(got, "\n") != 1 {
			t.Errorf("the balances are %q", got)
		}
		if n := client(t, secondServer, "SELECT COUNT(*) FROM "+quote(db)+".today"); n != "0\n" && n != "3\n" {
			t.Errorf("%s rows where 0 or 3 are", n)
		}
		eventually(t, "writers went on", func() bool { return w.times.Load() > before })
	}
}
