package pack

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDamaged is what a [DamageError] wraps: a file is not as it was written.
var ErrDamaged = errors.New("damaged")

// A DamageError says what is damaged.
type DamageError struct{ Report }

func (e *DamageError) Error() string { return "damaged: " + e.Report.String() }

// Unwrap returns ErrDamaged.
func (e *DamageError) Unwrap() error { return ErrDamaged }

// A Report says how a file compares with what was written.
type Report struct {
	Data, Parity       int   // how many shards there ought to be; 0, 0 when that cannot be told
	BadData, BadParity []int // the shards that are damaged, numbered from 0 each
	BadHeads           int   // of 2
	BadTables          int   // of 2
	Missing, Extra     int64 // bytes at the end
	Foreign            bool  // this is another pack, whole or not
	Mendable           bool  // what is damaged follows from what is not
}

// Err returns nil when everything is as it was written, else a *DamageError.
func (r Report) Err() error {
	whole := r.Data > 0 && len(r.BadData)+len(r.BadParity)+r.BadHeads+r.BadTables == 0 &&
		r.Missing == 0 && r.Extra == 0 && !r.Foreign
	if whole {
		return nil
	}
	return &DamageError{r}
}

// String lists the damage.
func (r Report) String() string {
	if r.Data == 0 {
		return "neither head nor table can be recognised"
	}
	var parts []string
	add := func(n int, format string, args ...any) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	if r.Foreign {
		add(1, "the file is another pack than its name says")
	}
	add(len(r.BadData), "%d of %d data shards (%s)", len(r.BadData), r.Data, numbers(r.BadData))
	add(len(r.BadParity), "%d of %d parity shards (%s)", len(r.BadParity), r.Parity, numbers(r.BadParity))
	add(r.BadHeads, "%d of 2 heads", r.BadHeads)
	add(r.BadTables, "%d of 2 tables", r.BadTables)
	add(int(r.Missing), "%d bytes missing at the end", r.Missing)
	add(int(r.Extra), "%d bytes too many at the end", r.Extra)
	if len(parts) == 0 {
		return "nothing"
	}
	if !r.Mendable {
		parts = append(parts, "beyond what parity can mend")
	}
	return strings.Join(parts, ", ")
}

// numbers writes runs of numbers as "3, 7-9", and stops where it gets long.
func numbers(n []int) string {
	const most = 8
	var runs []string
	for i := 0; i < len(n); {
		j := i + 1
		for j < len(n) && n[j] == n[j-1]+1 {
			j++
		}
		switch {
		case len(runs) == most:
			return strings.Join(runs, ", ") + ", …"
		case j-i == 1:
			runs = append(runs, fmt.Sprint(n[i]))
		default:
			runs = append(runs, fmt.Sprintf("%d-%d", n[i], n[j-1]))
		}
		i = j
	}
	return strings.Join(runs, ", ")
}
