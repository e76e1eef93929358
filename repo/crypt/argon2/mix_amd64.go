package argon2

// mix sets out to G(x, y) of the RFC, and mixInto adds it to what is there. They
// need AVX2. out may be x or y.
//
//go:noescape
func mix(out, x, y *block)

//go:noescape
func mixInto(out, x, y *block)
