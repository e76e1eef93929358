package local_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"chartkeep/repo/storage"
	"chartkeep/repo/storage/local"
)

// otherProcess names, in the environment, the folder of the store that this test
// binary is to use as the other process of a test.
const otherProcess = "LOCAL_TEST_OTHER_PROCESS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(otherProcess); dir != "" {
		if err := beOtherProcess(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beOtherProcess takes the exclusive lock, says so as soon as it has a file half
// written, and waits to be killed.
func beOtherProcess(dir string) error {
	st, err := local.NewOn(stuck{local.System()}, dir)
	if err != nil {
		return err
	}
	held, err := st.Lock(context.Background(), storage.Exclusive, 0)
	if err != nil {
		return err
	}
	defer held.Close()
	return st.Put(context.Background(), "f", []byte("half of a file"))
}

// stuck is a file system on which nothing gets its name.
type stuck struct{ local.FS }

func (stuck) RenameNew(_, _ string) error {
	fmt.Println("writing")
	io.Copy(io.Discard, os.Stdin)
	return io.ErrUnexpectedEOF
}

// startOther starts the other process and returns what kills it.
func startOther(t *testing.T, dir string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), otherProcess+"="+dir)
	_, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	if said, err := bufio.NewReader(out).ReadString('\n'); said != "writing\n" {
		t.Fatalf("the other process says %q, %v", said, err)
	}
	return kill
}

func TestALockOfAnotherProcessHoldsUntilItDies(t *testing.T) {
	st, dir := create(t)
	kill := startOther(t, dir)
	for _, mode := range []storage.LockMode{storage.Shared, storage.Exclusive} {
		_, err := st.Lock(t.Context(), mode, 20*time.Millisecond)
		is(t, err, storage.ErrLocked)
	}
	kill()
	held, err := st.Lock(t.Context(), storage.Exclusive, time.Second)
	check(t, err)
	check(t, held.Close())
}

func TestHalfAFileOfAnotherProcessStaysUntilItDies(t *testing.T) {
	st, dir := create(t)
	kill := startOther(t, dir)
	clean := func(want int) {
		t.Helper()
		if n, err := st.CleanTemp(t.Context(), 0); n != want || err != nil {
			t.Errorf("removed %d, %v, want %d", n, err, want)
		}
	}
	clean(0)
	if got, err := filepath.Glob(filepath.Join(dir, "tmp", "*", "*")); len(got) != 2 || err != nil {
		t.Errorf("of the living process there are %q, %v", got, err)
	}
	kill()
	clean(1)
	if got := tree(t, filepath.Join(dir, "tmp")); len(got) > 0 {
		t.Errorf("of the dead process are left %q", got)
	}
	check(t, st.Put(t.Context(), "f", []byte("whole")))
}
