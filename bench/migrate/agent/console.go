package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// console is the guest's serial port.
type console struct {
	file *os.File
}

// openConsole opens the serial port for whole lines: what comes in is not
// echoed, what goes out is not changed.
func openConsole() (*console, error) {
	// os.OpenFile would have it polled; a plain descriptor takes writes at once.
	fd, err := unix.Open("/dev/console", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/console: %w", err)
	}
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("/dev/console: %w", err)
	}
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ISIG
	mode.Oflag &^= unix.OPOST
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, mode); err != nil {
		return nil, fmt.Errorf("/dev/console: %w", err)
	}
	return &console{os.NewFile(uintptr(fd), "/dev/console")}, nil
}

// write writes a line with its end, in one piece.
func (c *console) write(line []byte) {
	c.file.Write(line) // who would hear of an error?
}

// print writes a line.
func (c *console) print(format string, args ...any) {
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	c.write([]byte(line + "\n"))
}

// commands returns the lines that come in. It is closed when no more can.
func (c *console) commands() <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for input := bufio.NewScanner(c.file); input.Scan(); {
			if line := strings.TrimSpace(input.Text()); line != "" {
				lines <- line
			}
		}
	}()
	return lines
}
