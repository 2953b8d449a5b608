package guest

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
)

func TestWriteCpio(t *testing.T) {
	root := tree{}
	err := root.putFS(fstest.MapFS{
		"init":      {Data: []byte("#!/bin/sh\n")},
		"etc/hosts": {Data: []byte("::1 me")},
	})
	if err != nil {
		t.Fatal(err)
	}
	root.put("bin", node{typeSymlink | 0o777, []byte("usr/bin")})
	var got bytes.Buffer
	if err := root.writeCpio(&got); err != nil {
		t.Fatal(err)
	}
	// Fields after the magic: inode, mode, uid, gid, links, mtime, size, device
	// major and minor, the same of a special file, length of the name with its
	// NUL, checksum. "_" stands for NUL.
	want := strings.ReplaceAll(""+
		"070701"+"00000001"+"0000a1ff"+"00000000"+"00000000"+"00000001"+"00000000"+"00000007"+
		"00000000"+"00000000"+"00000000"+"00000000"+"00000004"+"00000000"+"bin_"+"__"+"usr/bin"+"_"+
		"070701"+"00000002"+"000041ed"+"00000000"+"00000000"+"00000002"+"00000000"+"00000000"+
		"00000000"+"00000000"+"00000000"+"00000000"+"00000004"+"00000000"+"etc_"+"__"+
		"070701"+"00000003"+"000081a4"+"00000000"+"00000000"+"00000001"+"00000000"+"00000006"+
		"00000000"+"00000000"+"00000000"+"00000000"+"0000000a"+"00000000"+"etc/hosts_"+"::1 me"+"__"+
		"070701"+"00000004"+"000081ed"+"00000000"+"00000000"+"00000001"+"00000000"+"0000000a"+
		"00000000"+"00000000"+"00000000"+"00000000"+"00000005"+"00000000"+"init_"+"_"+"#!/bin/sh\n"+"__"+
		"070701"+"00000000"+"00000000"+"00000000"+"00000000"+"00000001"+"00000000"+"00000000"+
		"00000000"+"00000000"+"00000000"+"00000000"+"0000000b"+"00000000"+"TRAILER!!!_"+"___",
		"_", "\x00")
	if got.String() != want {
		t.Errorf("got\n%q\nwant\n%q", got.String(), want)
	}
}
