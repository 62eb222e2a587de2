package main

import (
	"os/exec"
	"syscall"
)

// bind has a process killed when this one ends, however that ends.
func bind(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
