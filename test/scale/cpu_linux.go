package main

import (
	"syscall"
	"time"
)

const (
	wholeProcess = syscall.RUSAGE_SELF
	thisThread   = 1 // RUSAGE_THREAD, getrusage(2)
)

// cpu is the processor time, user and system, that the process or the thread at hand has used. Unlike time on the clock it
// does not depend on what else the machine does.
func cpu(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err) // it fails for a wrong argument only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
