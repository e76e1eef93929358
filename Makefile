# The two commands of the README are `go run ./cmd/chartkeep demo` and `make test`.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build test torture race lint cross bench benchstudies benchdatabases benchstages fuzz

build:
	go build -trimpath -o chartkeep ./cmd/chartkeep

# Every test, with what the tests need from the system installed first.
test:
	./testdata/install-needs
	go test -timeout 30m ./...

# The full campaign of docs/reliability.md, which says how long each part takes, or
# one part of it: make torture PART=power. FROM goes on from a seed that it printed,
# FOR ends each test after a time.
PART = all
FROM = 1
FOR = 0
RUN_all = .
RUN_crash = ^TestAPowerCut
RUN_power = ^TestARealPowerCut|^TestACacheOnADeadDisk
RUN_kill = Kill|Interrupted
RUN_faults = ^TestNoFailure
RUN_space = ^TestADriveThatIsFull
RUN_damage = ^TestAnyByte|^TestAnyFile|Damage|^TestTheCheckCommand|^TestTheRepairCommands|^TestADeletedCache
RUN_hostile = Hostile|^TestNamesDo|^TestContentThat|^TestARepositoryThatWasSetBack
RUN_together = AtTheSameTime
RUN_model = ^TestTheRepositoryAgrees|^TestTenYears
RUN_memory = ^TestABit
RUN_secrets = ^TestSecrets

torture:
	./testdata/install-needs
	./testdata/torture '$(or $(RUN_$(PART)),no such part)' -from $(FROM) -for $(FOR)

# Every decoder and whole repositories, with what nobody thought of: FUZZTIME for each.
FUZZTIME = 1m
fuzz:
	@grep -rl --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$file); do \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) || exit 1; \
		done; \
	done

race:
	go test -race -timeout 60m ./...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

cross:
	GOOS=windows GOARCH=amd64 go build -o /dev/null ./cmd/chartkeep && GOOS=windows go vet ./...
	GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/chartkeep && GOOS=darwin go vet ./...

# Beside restic, borg, kopia and duplicacy, as far as they are installed; as root, so that
# the page cache can be dropped. BENCH="-megabytes 200 -files 5000 -passes 1" is a look.
bench: build
	go run ./cmd/bench -program ./chartkeep -write docs/performance.md $(BENCH)

# What grows with what: files, dumps, nights, and the levels of compression. It takes
# an hour, and 12 GB of disk; BENCH="-shrink 100" is a look.
benchstudies: build
	go run ./cmd/bench -program ./chartkeep -write docs/performance.md $(BENCH) files stream nights year large levels

# Databases beside what is usual: pg_dump or mariadb-dump with restic, and mydumper.
benchdatabases: build
	go run ./cmd/bench -databases -program ./chartkeep -megabytes 1000 -write docs/databases.md $(BENCH)

# Each stage alone; with BASE=COMMIT beside that commit's, in turn, so that a regression shows.
BASE =
ROUNDS = 6
benchstages:
	./testdata/benchstages '$(BASE)' $(ROUNDS)
