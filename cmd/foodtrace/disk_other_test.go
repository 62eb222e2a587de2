//go:build !linux

package main

import "errors"

func mountSmall(string) error { return errors.ErrUnsupported }

func unmount(string) error { return nil }

func fillDisk(string) error { return errors.ErrUnsupported }

func makeRoom(string) error { return errors.ErrUnsupported }
