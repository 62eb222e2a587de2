//go:build !linux

package services

import (
	"os/exec"
	"syscall"
)

// bind does nothing here: only Linux can end a process with the one that started it.
func bind(*exec.Cmd, syscall.Signal) {}

func killAll(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// runAs does nothing here: PostgreSQL itself refuses to run as root.
func runAs(*exec.Cmd, uint32, uint32) {}
