package repo

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/zeebo/blake3"

	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
)

// twinKinds says, for each folder of files that are kept twice, how a copy is
// known to be whole.
func (r *Repository) twinKinds() map[string]func(name string, b []byte) error {
	return map[string]func(string, []byte) error{
		slotFolder: func(name string, b []byte) error {
			slot, err := crypt.ParseSlot(b)
			if err != nil {
				return err
			}
			return sameName(slot.ID.String(), name)
		},
		sessionFolder: func(name string, b []byte) error {
			id, err := r.secret.VerifySession(r.config.ID, b)
			if err != nil {
				return err
			}
			return sameName(id.String(), name)
		},
		string(Snapshots): documentWhole,
		string(Damage):    documentWhole,
		string(Checks):    documentWhole,
		string(Bin):       documentWhole,
		string(Log):       documentWhole,
	}
}

func (r *Repository) configWhole(b []byte) error {
	_, err := decodeConfig(b)
	if err == nil && !genuine(b, r.secret.ConfigKey()) {
		err = errors.New("its seal does not match")
	}
	return err
}

func documentWhole(name string, b []byte) error {
	sum := blake3.Sum256(b)
	return sameName(hex.EncodeToString(sum[:]), name)
}

func sameName(is, want string) error {
	if is != want {
		return fmt.Errorf("content and name do not belong together: %w", ErrDamaged)
	}
	return nil
}

// twins checks both copies of everything that is kept twice.
func (c *checker) twins(ctx context.Context) error {
	c.twin(ctx, configName, c.r.configWhole, c.r.twinFaults(ctx, configName, c.r.configWhole))
	for dir, whole := range c.r.twinKinds() {
		names, err := listTwins(ctx, c.r.store, dir)
		if err != nil {
			return err
		}
		faults := make([][]Fault, len(names))
		whole := func(i int) func([]byte) error { return func(b []byte) error { return whole(names[i], b) } }
		err = eachSmall(ctx, len(names), func(i int) error {
			faults[i] = c.r.twinFaults(ctx, path.Join(dir, names[i]), whole(i))
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		for i, n := range names {
			c.twin(ctx, path.Join(dir, n), whole(i), faults[i])
		}
	}
	return ctx.Err()
}

// twin tells what is wrong with the two copies of one file. A file that is not
// there is looked for again at the end: another run may be putting both, or
// removing both.
func (c *checker) twin(ctx context.Context, name string, whole func([]byte) error, faults []Fault) {
	absent := func(f Fault) bool { return errors.Is(f.Problem, fs.ErrNotExist) }
	if slices.ContainsFunc(faults, absent) {
		c.absent = append(c.absent, func(ctx context.Context) []Fault { return c.r.twinFaults(ctx, name, whole) })
		return
	}
	c.twinFaults(faults)
}

func (c *checker) twinFaults(faults []Fault) {
	for _, f := range faults {
		c.fault(f)
	}
}

// absentTwins looks again for what was not there. A copy that is still missing
// is lost, unless a run died here and its traces are not cleaned up yet, or
// another run goes on, which may be slower than this check: then it may be what
// that run has still to do.
func (c *checker) absentTwins(ctx context.Context) error {
	if len(c.absent) == 0 {
		return nil
	}
	living, err := storage.LivingRuns(ctx, c.r.store) // before it is looked again: whoever ends meanwhile has done it
	dead, failed := storage.DeadRuns(ctx, c.r.store)
	if err = errors.Join(err, failed); err != nil {
		c.r.options.Warn(fmt.Errorf("look for traces of other runs: %w", err))
	}
	for _, look := range c.absent {
		faults := look(ctx)
		for i := range faults {
			faults[i].CutOff = dead+living > 0 && faults[i].Mendable && errors.Is(faults[i].Problem, fs.ErrNotExist)
		}
		c.twinFaults(faults)
	}
	return ctx.Err()
}

// twinFaults returns what is wrong with the copies of one file; nothing if
// neither is there any more.
func (r *Repository) twinFaults(ctx context.Context, name string, whole func([]byte) error) (faults []Fault) {
	var good []byte
	gone := 0
	for _, n := range []string{name, path.Join(twinFolder, name)} {
		b, err := storage.ReadAll(ctx, r.store, n, maxSmallFile)
		if err == nil {
			err = whole(b)
		}
		if err == nil && good != nil && !bytes.Equal(b, good) {
			err = fmt.Errorf("the two copies are not the same: %w", ErrDamaged)
		}
		if errors.Is(err, fs.ErrNotExist) {
			gone++
			err = noCopy{}
		}
		if err != nil {
			faults = append(faults, Fault{File: n, Problem: err, Repair: "chartkeep repair index"})
			continue
		}
		good = b
	}
	if ctx.Err() != nil || gone == 2 {
		return nil
	}
	for i := range faults {
		faults[i].Mendable = good != nil
	}
	return faults
}

// noCopy says that one of two copies is not there, and not how the store put it.
type noCopy struct{}

func (noCopy) Error() string { return "this copy is missing" }

func (noCopy) Is(target error) bool { return target == fs.ErrNotExist }

// RepairTwins writes anew every copy that is missing or damaged while its twin
// is whole, and names the files it mended.
func (r *Repository) RepairTwins(ctx context.Context, faults []Fault) (mended []string, err error) {
	for _, f := range faults {
		if !f.Mendable || !f.Pack.IsZero() || path.Dir(f.File) == segmentFolder {
			continue
		}
		other := twinOf(f.File)
		b, err := storage.ReadAll(ctx, r.store, other, maxSmallFile)
		if err != nil {
			return mended, err
		}
		err = r.store.Put(ctx, f.File, b)
		if errors.Is(err, fs.ErrExist) {
			err = storage.Replace(ctx, r.store, f.File, b)
		}
		if err != nil {
			return mended, fmt.Errorf("mend %s: %w", f.File, err)
		}
		mended = append(mended, f.File)
	}
	return mended, nil
}

func twinOf(name string) string {
	if rest, ok := cutFolder(name, twinFolder); ok {
		return rest
	}
	return path.Join(twinFolder, name)
}

func cutFolder(name, folder string) (string, bool) {
	if len(name) > len(folder) && name[:len(folder)] == folder && name[len(folder)] == '/' {
		return name[len(folder)+1:], true
	}
	return name, false
}
