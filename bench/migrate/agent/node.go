package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"strings"
)

//go:embed heap.js
var heapJS []byte

// node is a workload with a JavaScript program that changes the objects of its
// heap; heap.js says how.
//
//	node.size  MiB of objects, about; two fifths of the free memory if not given
//	node.rate  objects changed each second, 1000 if not given; 0 is as many as can be
//
// The rate can be changed while it runs.
type node struct {
	n     *counts
	size  int
	rate  int
	input io.Writer
	lines chan string // what the program says but of its progress
}

func newNode(given settings, n *counts) (load, error) {
	free, err := freeMiB()
	if err != nil {
		return nil, err
	}
	size, err := given.number("node.size", free*2/5, 1, 1<<20)
	if err != nil {
		return nil, err
	}
	rate, err := given.number("node.rate", 1000, 0, 1<<20)
	return &node{n: n, size: size, rate: rate, lines: make(chan string, 1)}, err
}

func (j *node) set(name, value string) error {
	if name != "node.rate" {
		return errNotASetting
	}
	rate, err := parseNumber(name, value, 0, 1<<20)
	if err != nil {
		return err
	}
	j.rate = rate
	return nil
}

// ask sends the program a command and returns its answer.
func (j *node) ask(format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(j.input, format+"\n", args...); err != nil {
		return "", fmt.Errorf("node: %w", err)
	}
	line, open := <-j.lines
	if !open {
		return "", fmt.Errorf("node has ended")
	}
	return line, nil
}

func (j *node) prepare(step func(string, ...any)) (string, error) {
	text, err := readText()
	if err != nil {
		return "", err
	}
	for path, content := range map[string][]byte{"/tmp/heap.js": heapJS, "/tmp/text": text} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return "", err
		}
	}
	step("starting Node.js with %d MiB of objects", j.size)
	cmd := command(0, "node", fmt.Sprintf("--max-old-space-size=%d", j.size*3/2+50), "/tmp/heap.js", fmt.Sprint(j.size), "/tmp/text")
	if j.input, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return "", err
	}
	go func() {
		defer close(j.lines)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			j.take(lines.Text())
		}
	}()
	line, open := <-j.lines
	if !open || !strings.HasPrefix(line, "filled ") {
		return "", fmt.Errorf("node ended: %s", line)
	}
	return "Node.js with " + strings.TrimPrefix(line, "filled "), nil
}

// take takes a line of the program.
func (j *node) take(line string) {
	var ops, bad uint64
	if _, err := fmt.Sscanf(line, "did %d bad %d", &ops, &bad); err == nil {
		j.n.ops.Add(ops)
		j.n.bad.Add(bad)
		return
	}
	j.lines <- line
}

// work has the program work for a while.
func (j *node) work() error {
	answer, err := j.ask("work %d %d", workMillis, j.rate)
	if err == nil && answer != "worked" {
		err = fmt.Errorf("node: %s", answer)
	}
	return err
}

const workMillis = 100

func (j *node) check() (n, bad int, text string, err error) {
	answer, err := j.ask("check")
	if err != nil {
		return 0, 0, "", err
	}
	if _, err := fmt.Sscanf(answer, "checked %d bad %d", &n, &bad); err != nil {
		return 0, 0, "", fmt.Errorf("node: %s", answer)
	}
	return n, bad, "objects of a JavaScript heap, all of each", nil
}
