package main

import (
	"context"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"chartkeep/sources/mysql"
)

// server starts a MariaDB server that ends with the story. The address of one of
// its databases goes into $DATABASE, its socket into $SOCKET, and its process
// into $SERVER:
//
//	server opendental
func server(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: server DATABASE")
	}
	s, err := mysql.Scratch(context.Background(), mysql.ScratchOptions{Programs: os.Getenv("CHARTKEEP_TEST_MYSQL")})
	ts.Check(err)
	ts.Defer(func() { ts.Check(s.Stop()) })
	ts.Setenv("DATABASE", s.URL(args[0]))
	ts.Setenv("SOCKET", s.Socket())
	ts.Setenv("SERVER", strconv.Itoa(s.PID))
}
