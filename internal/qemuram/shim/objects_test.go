//go:build linux && cgo

package main

import (
	"errors"
	"testing"
)

// A channel that is made while another thread frees its session is none.
func TestChannelOfARemovedSession(t *testing.T) {
	session := new(object)
	handle, err := enter(session)
	if err != nil {
		t.Fatal(err)
	}
	channel, err := enter(&object{parent: session})
	if err != nil || find(channel) == nil {
		t.Fatal(err)
	}
	if !remove(handle) || find(channel) != nil {
		t.Error("the session's channel is there behind it")
	}
	if late, err := enter(&object{parent: session}); !errors.Is(err, errHandle) || find(late) != nil {
		t.Errorf("a channel of a session that is not there: %v", err)
	}
}
