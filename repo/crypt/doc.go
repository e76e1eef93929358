// Package crypt keeps a repository secret: its keys, the slots that give them
// out, and the sealing of everything that is stored.
//
// # Nouns
//
// The [Secret] of a repository is 32 random bytes S and a key pair. S names
// chunks and seals what tells where they are; the pair guards what is in them:
// the public half is enough to add to a repository, reading needs the private
// half. A [Slot] wraps the secret with a password or with a [RecoveryCode]. It
// has a [Role]: an owner's slot wraps S and the private key, a writer's slot S
// and the public key. A [Session] is one writing run: two random keys that seal
// its blocks and documents, kept in a file of their own that only the private
// key opens. A [Box] seals, with a key from S, what writers must read too.
//
//	password ── Argon2id ──┐                 ┌─ chunk, gear, index, config, cache keys (HKDF)
//	                       ├─ slot ── S ─────┤
//	recovery code ── HKDF ─┘   │             └─ Box: directories, index
//	                           │
//	                           └─ public key ── session file ──┬─ data key: blocks of content
//	                              (private key opens it)       └─ metadata key: trees, documents
//
// # Guarantees
//
//   - What is sealed opens only under the same key, format version, repository,
//     session and [Kind], and only if no bit of it has changed.
//   - A password is tried against a commitment first, so a slot opens with one
//     password only (AES-GCM alone does not promise that), and a wrong password
//     is told from a damaged file: [ErrPassword] means the password.
//   - No file read here, however made, can make a decoder panic, allocate more
//     than a few times its own length, or run a key derivation that is weaker
//     than [MinKDF] or costs more than 1 GiB or 4 GiB-passes.
//   - Equal contents have one encoding; any other is refused.
//
// What this does and does not protect against is told in docs/security.md.
//
// # Derived keys
//
// A key derived from S is HKDF-SHA256 (RFC 5869) of S without salt, 32 bytes,
// with one of these infos:
//
//	chartkeep v1 chunk id
//	chartkeep v1 gear table
//	chartkeep v1 index
//	chartkeep v1 config
//	chartkeep v1 cache
//	chartkeep v1 session
//
// # Sealed bytes
//
// Everything is sealed with AES-256-GCM under a random nonce. A key seals at
// most 2³² times, as NIST SP 800-38D, 8.3 asks of random nonces.
//
//	nonce (12) ‖ ciphertext ‖ tag (16)
//	additional data: version (1) = 1 ‖ repository (16) ‖ session (16) ‖ kind (1)
//
// In a [Box] the session is zero. The kinds have the numbers of the constants of
// [Kind].
//
// # Slot file
//
//	magic (8) "CHRTSLOT" ‖ BLAKE3 of the body, first 16 bytes ‖ body
//
// The body is a map in core deterministic CBOR (RFC 8949, 4.2.1):
//
//	1 version     = 1
//	2 repository  16 bytes
//	3 slot ID     16 bytes
//	4 kind        1 password, 2 recovery code
//	5 role        1 owner, 2 writer
//	6 label       text, at most 200 bytes, printable
//	7 created     Unix seconds
//	8 KDF         [passes, memory in KiB, threads]; [0, 0, 0] for a recovery code
//	9 salt        16 bytes
//	10 commitment 32 bytes
//	11 wrapped    sealed: S (32) ‖ private key (32), or S (32) ‖ public key (1216)
//
// Password or code and salt give 64 bytes, by Argon2id (RFC 9106, version
// 0x13), or by HKDF-SHA256 with the info "chartkeep v1 recovery slot". The first
// 32 are the wrapping key. The commitment is SHA-256 of "chartkeep v1 slot
// commitment" ‖ the last 32. The additional data of the wrapping is the body
// without its key 11.
//
// # Session file
//
//	magic (8) "CHRTSESS" ‖ BLAKE3 of the body, first 16 bytes ‖ body ‖ MAC (32)
//
// The MAC is HMAC-SHA256 of the body under the session key from S: whoever does
// not hold S can not make a session. The body, again CBOR:
//
//	1 version     = 1
//	2 repository  16 bytes
//	3 session ID  16 bytes
//	4 sealed      encapsulated key (1120) ‖ ciphertext of data key (32) ‖ metadata key (32) ‖ tag (16)
//
// It is sealed with HPKE (RFC 9180), base mode: KEM MLKEM768-X25519 (0x647a,
// X-Wing), HKDF-SHA256, AES-256-GCM, info "chartkeep v1 session keys" ‖
// repository ‖ session ID, no additional data.
//
// # Example
//
//	secret, err := crypt.NewSecret()
//	slot, file, err := crypt.SealSlot(secret, password, crypt.SlotOptions{Repository: id})
//	// store file as keys/<slot.ID>; later, read it again:
//	slot, err = crypt.ParseSlot(file)
//	secret, err = slot.Open(id, password)
//
//	session, file, err := crypt.NewSession(secret, id)
//	// store file as sessions/<session.ID()>, then:
//	sealed := session.Seal(nil, plaintext, crypt.Data)
package crypt
