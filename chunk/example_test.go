package chunk_test

import (
	"bytes"
	"fmt"
	"io"
	"log"

	"chartkeep/chunk"
)

// Two nights of a dump: on the second, one row has changed.
func Example() {
	monday := sqlDump()
	tuesday := bytes.Replace(monday, []byte("(200,"), []byte("(200,7"), 1)

	cutter, err := chunk.NewCutter(chunk.DefaultParams(chunk.Gear), [32]byte{1})
	if err != nil {
		log.Fatal(err)
	}
	hasher := chunk.NewHasher([32]byte{2})
	stored := map[chunk.ID]bool{}
	for _, dump := range [][]byte{monday, tuesday} {
		profile := chunk.Classify(dump)
		splitter := cutter.Split(bytes.NewReader(dump), profile)
		all, fresh := 0, 0
		for {
			p, err := splitter.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				log.Fatal(err)
			}
			all++
			if id := hasher.Sum(p); !stored[id] {
				stored[id] = true
				fresh++
			}
		}
		fmt.Printf("%v: %d chunks, %d new\n", profile, all, fresh)
	}
	// Output:
	// fine: 7 chunks, 7 new
	// fine: 7 chunks, 1 new
}
