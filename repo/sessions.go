package repo

import (
	"context"
	"path"

	"chartkeep/repo/crypt"
)

const sessionFolder = "sessions"

func sessionName(id crypt.SessionID) string {
	return path.Join(sessionFolder, id.String())
}

// newSession draws the keys of a writing run and makes them durable: no pack
// may use a key that is not.
func (r *Repository) newSession(ctx context.Context) (*crypt.Session, error) {
	s, file, err := crypt.NewSession(r.secret, r.config.ID)
	if err != nil {
		return nil, err
	}
	if err := putTwins(ctx, r.store, sessionName(s.ID()), file); err != nil {
		return nil, err
	}
	r.sessionMu.Lock()
	defer r.sessionMu.Unlock()
	r.sessions[s.ID()] = s
	return s, nil
}

// session returns the keys of an earlier run. They are read once, or a few times
// where several ask at the same moment: opening takes longer than a lock should.
func (r *Repository) session(ctx context.Context, id crypt.SessionID) (*crypt.Session, error) {
	r.sessionMu.Lock()
	s := r.sessions[id]
	r.sessionMu.Unlock()
	if s != nil {
		return s, nil
	}
	_, err := readTwins(ctx, r.store, sessionName(id), func(b []byte) (err error) {
		if s, err = r.secret.OpenSession(r.config.ID, b); err != nil {
			return err
		}
		return sameName(s.ID().String(), id.String())
	})
	if err != nil {
		return nil, err
	}
	r.sessionMu.Lock()
	defer r.sessionMu.Unlock()
	r.sessions[id] = s
	return s, nil
}
