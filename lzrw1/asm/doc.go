// Package asm holds the inner loops, called kernels, of lzrw1, pagestream and
// delta: portable ones and ones in assembly. It is for those packages; it
// makes no promise to others.
//
// Each kernel exists in portable Go, and in assembly where that was measured
// to pay. All implementations of a kernel have one signature and give the same
// results to the byte. [Available] lists those that this machine can run,
// [Active] is the one in use. The build tag purego leaves all assembly out.
package asm
