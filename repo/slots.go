package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"chartkeep/repo/crypt"
	"chartkeep/repo/storage"
)

const slotFolder = "keys"

// ErrLastOwner refuses to leave a repository without a key that can read it.
var ErrLastOwner = errors.New("this is the last owner key of the repository")

// Slot is one way into the repository, as it lies in its file.
type Slot struct {
	ID      string // hex; the file's name
	Current bool   // the one that opened this repository
	*crypt.Slot
}

// unlock tries every key slot that the given secret could open.
func unlock(ctx context.Context, st storage.Store, id ID, password []byte) (*crypt.Secret, string, error) {
	slots, broken, err := readSlots(ctx, st)
	if err != nil {
		return nil, "", err
	}
	if len(slots) == 0 {
		return nil, "", fmt.Errorf("no usable key slot in the repository: %w", errors.Join(broken...))
	}
	slots = slots[:min(len(slots), maxSlots)]
	slices.SortStableFunc(slots, byCost)
	var typo error
	for _, way := range []way{(*crypt.Slot).Try, (*crypt.Slot).Insist} {
		var wrong []Slot
		for _, s := range slots {
			given, err := secretFor(s, password)
			if err != nil {
				if ce := (*crypt.CodeError)(nil); errors.As(err, &ce) {
					typo = err
				}
				continue
			}
			secret, err := way(s.Slot, id, given)
			switch {
			case err == nil:
				return secret, s.ID, nil
			case errors.Is(err, crypt.ErrPassword):
				wrong = append(wrong, s)
			default:
				broken = append(broken, fmt.Errorf("key %.8s: %w", s.ID, err))
			}
		}
		slots = wrong
	}
	return nil, "", errors.Join(append([]error{ErrPassword, typo}, broken...)...)
}

// A way to open a slot. One that is given up for all slots before the next makes one
// derivation of each password that is another's, and not two.
type way func(s *crypt.Slot, repository [16]byte, secret []byte) (*crypt.Secret, error)

// byCost has recovery codes come first: they need no derivation, and with one at hand
// none is made for the passwords beside it.
func byCost(a, b Slot) int { return cmp.Compare(a.KDF.MemoryKiB, b.KDF.MemoryKiB) }

// maxSlots bounds the work that forged slots could make of one wrong password.
const maxSlots = 32

// secretFor is what a slot of this kind is tried with: the password as it is,
// or the recovery code that was typed in its place. The error is a
// *crypt.CodeError when it is one with a typing mistake, which is worth saying.
func secretFor(s Slot, password []byte) (secret []byte, err error) {
	if s.Kind != crypt.Recovery {
		return password, nil
	}
	code, err := crypt.ParseRecoveryCode(string(password))
	return code[:], err
}

// readSlots returns the readable slots and what is wrong with the others.
func readSlots(ctx context.Context, st storage.Store) (slots []Slot, broken []error, err error) {
	names, err := listTwins(ctx, st, slotFolder)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range names {
		var parsed *crypt.Slot
		_, err := readTwins(ctx, st, path.Join(slotFolder, n), func(b []byte) (err error) {
			parsed, err = crypt.ParseSlot(b)
			if err == nil {
				err = sameName(parsed.ID.String(), n)
			}
			return err
		})
		if err != nil {
			broken = append(broken, err)
			continue
		}
		slots = append(slots, Slot{ID: n, Slot: parsed})
	}
	return slots, broken, nil
}

// Slots lists the key slots.
func (r *Repository) Slots(ctx context.Context) ([]Slot, error) {
	slots, broken, err := readSlots(ctx, r.store)
	for _, b := range broken {
		r.options.Warn(b)
	}
	for i := range slots {
		slots[i].Current = slots[i].ID == r.slot
	}
	return slots, err
}

// AddPassword adds a slot for another password and returns its ID.
func (r *Repository) AddPassword(ctx context.Context, password []byte, role crypt.Role, label string) (string, error) {
	return r.addPasswordSlot(ctx, password, role, label, crypt.KDF{})
}

func (r *Repository) addPasswordSlot(ctx context.Context, password []byte, role crypt.Role, label string, kdf crypt.KDF) (string, error) {
	slot, b, err := crypt.SealSlot(r.secret, password, crypt.SlotOptions{Repository: r.config.ID, Role: role, Label: label, KDF: kdf})
	if err != nil {
		return "", fmt.Errorf("add key: %w", err)
	}
	return r.putSlot(ctx, slot, b)
}

// AddRecovery adds an owner slot for a recovery code and returns its ID.
func (r *Repository) AddRecovery(ctx context.Context, code crypt.RecoveryCode, label string) (string, error) {
	slot, b, err := crypt.SealRecoverySlot(r.secret, code, crypt.SlotOptions{Repository: r.config.ID, Label: label})
	if err != nil {
		return "", fmt.Errorf("add recovery key: %w", err)
	}
	return r.putSlot(ctx, slot, b)
}

func (r *Repository) putSlot(ctx context.Context, slot *crypt.Slot, b []byte) (string, error) {
	id := slot.ID.String()
	return id, putTwins(ctx, r.store, path.Join(slotFolder, id), b)
}

// RemoveSlot deletes a key slot. The last owner slot stays: ErrLastOwner.
func (r *Repository) RemoveSlot(ctx context.Context, id string) error {
	slots, _, err := readSlots(ctx, r.store)
	if err != nil {
		return err
	}
	owners, found := 0, false
	for _, s := range slots {
		found = found || s.ID == id
		if s.ID != id && s.Role == crypt.Owner {
			owners++
		}
	}
	if !found {
		return fmt.Errorf("no key %s", id)
	}
	if owners == 0 {
		return ErrLastOwner
	}
	return removeTwins(ctx, r.store, path.Join(slotFolder, id))
}

// ChangePassword gives the open slot another password: a new slot is durable
// before the old one goes.
func (r *Repository) ChangePassword(ctx context.Context, password []byte) error {
	slots, err := r.Slots(ctx)
	if err != nil {
		return err
	}
	for _, s := range slots {
		if !s.Current {
			continue
		}
		old := r.slot
		if r.slot, err = r.AddPassword(ctx, password, s.Role, s.Label); err != nil {
			return err
		}
		return r.RemoveSlot(ctx, old)
	}
	return errors.New("the key that opened the repository is gone")
}
