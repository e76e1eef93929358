# The two commands of the README are `go run ./cmd/chartkeep demo` and `make test`.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build test torture race lint cross bench fuzz

build:
	go build -trimpath -o chartkeep ./cmd/chartkeep

# Every test, with what the tests need from the system installed first.
test:
	./testdata/install-needs
	go test ./...

# The long forms of the proofs: every byte turned, hundreds of kills. Ten minutes and
# more.
torture:
	go test ./cmd/internal/proof -full -timeout 3h

race:
	go test -race ./...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

cross:
	GOOS=windows GOARCH=amd64 go build -o /dev/null ./cmd/chartkeep && GOOS=windows go vet ./...
	GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/chartkeep && GOOS=darwin go vet ./...

bench:
	go test -run '^$$' -bench . -benchmem ./chunk ./index ./repo/pack ./repo/crypt ./snapshot
