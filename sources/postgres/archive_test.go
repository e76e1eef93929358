package postgres

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// TestOnlyASettingThatAnOlderServerLacksIsPassedOver by a newer pg_restore.
func TestOnlyASettingThatAnOlderServerLacksIsPassedOver(t *testing.T) {
	const lacks = "pg_restore: error: could not execute query: FEHLER:  unbekannter Konfigurationsparameter »transaction_timeout«\nCommand was: SET transaction_timeout = 0;\n\n"
	const ignored = "pg_restore: warning: errors ignored on restore: 2\n"
	one := exec.Command("sh", "-c", "exit 1").Run()
	for said, fine := range map[string]bool{
		lacks + ignored:         true,
		lacks + lacks + ignored: true,
		"pg_restore: while INITIALIZING:\n" + lacks + ignored: true,
		"": false,
		"pg_restore: error: could not open input file\n":                                                             false,
		lacks + "pg_restore: error: could not execute query: ERROR:  it exists\nCommand was: CREATE …\n\n" + ignored: false,
	} {
		err := withoutUnknown(&ProgramError{Program: "pg_restore", Err: one, all: said})
		if fine != (err == nil) || err != nil && strings.Contains(err.Error(), "transaction_timeout") {
			t.Errorf("%q: %v", said, err)
		}
	}
	if err := withoutUnknown(&ProgramError{Program: "pg_restore", Err: errors.New("it was killed"), all: lacks}); err == nil {
		t.Error("a program that was killed is fine")
	}
}
