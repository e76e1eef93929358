package argon2

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/crypto/argon2"
)

func TestKeysAreThoseOfArgon2id(t *testing.T) {
	for _, c := range []struct {
		passes, memory uint32
		lanes          uint8
		n              uint32
	}{
		{1, 8, 1, 4}, {1, 1, 1, 32}, {2, 64, 1, 64}, {3, 100, 3, 65}, {2, 517, 1, 32}, {2, 4099, 4, 16},
		{4, 8191, 7, 200}, {3, 9000, 16, 64}, {1, 20000, 2, 1000}, {3, 64 << 10, 4, 64},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			r := rand.NewChaCha8([32]byte{byte(c.memory), byte(c.lanes)})
			password, salt := make([]byte, r.Uint64()%90), make([]byte, 8+r.Uint64()%24)
			r.Read(password)
			r.Read(salt)
			want := argon2.IDKey(password, salt, c.passes, c.memory, c.lanes, c.n)
			if got := Key(password, salt, c.passes, c.memory, c.lanes, c.n); !bytes.Equal(got, want) {
				t.Errorf("got %x, want %x", got, want)
			}
		})
	}
}

// What the reference implementation's command-line program prints for
// echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1.
func TestTheReferenceAgrees(t *testing.T) {
	const want = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
	if got := hex.EncodeToString(Key([]byte("password"), []byte("somesalt"), 2, 64<<10, 1, 32)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheSamePasswordGivesTheSameKeyAtTheSameTime(t *testing.T) {
	keys := make(chan string)
	for range 8 {
		go func() { keys <- string(Key([]byte("password"), []byte("somesalt"), 2, 1<<10, 4, 64)) }()
	}
	want := <-keys
	for range 7 {
		if <-keys != want {
			t.Fatal("keys differ")
		}
	}
}

func BenchmarkKey(b *testing.B) {
	for b.Loop() {
		Key([]byte("password"), make([]byte, 16), 3, 64<<10, 4, 64)
	}
}

func BenchmarkLibrary(b *testing.B) {
	for b.Loop() {
		argon2.IDKey([]byte("password"), make([]byte, 16), 3, 64<<10, 4, 64)
	}
}
