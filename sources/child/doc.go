// Package child is the life of programs of others that this process starts: of
// a server for a trial, of a dump program. They belong to this process, and none
// outlives it.
//
// # Programs
//
// A program leads a group of processes apart from this one's terminal, where it
// could ask for a password, and Stop ends the group. A server refuses to run as
// root; it runs as an Identity then.
//
// # Servers
//
// A Process ends with this process, also when this one is killed and can end
// nothing: Linux sends it a signal. The kernel means the thread that started the
// program, not the process, and so one goroutine keeps its thread until the
// program has ended.
//
//	p, err := child.Start(exec.Command("postgres", "-D", dir), syscall.SIGQUIT)
//	defer p.Halt(time.Minute, syscall.SIGINT)
//
// # Folders
//
// A Folder is a private one for such a server. Whoever made it holds a lock on a
// file in it, which goes with the process. So what a killed one left behind is
// found by the next that makes a folder at the same place, and is removed: it
// holds what a database holds.
package child
