package guest

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseSimulation(t *testing.T) {
	got, err := parseSimulation([]byte(`NOTE: This is only a simulation!
Reading package lists...
The following NEW packages will be installed:
  libc6 libkrb5-3 redis-server
0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded.
Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64]) []
Inst lsb-base (11.6 Debian:12.15/oldstable [all]) [libc6:amd64 ]
Inst libkrb5-3 (1.20.1-2+deb12u5 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])
Conf libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])
Inst redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])
Conf redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Package{
		{"libc6", "2.36-9+deb12u14", "amd64"},
		{"lsb-base", "11.6", "all"},
		{"libkrb5-3", "1.20.1-2+deb12u5", "amd64"},
		{"redis-server", "5:7.0.15-1~deb12u10", "amd64"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseSimulationErrors(t *testing.T) {
	for name, test := range map[string]struct{ out, want string }{
		"nothing to install": {"Reading package lists...\n", "no package"},
		"no version":         {"Inst redis-server\n", `"Inst redis-server"`},
		"no architecture":    {"Inst redis-server (7.0 Debian:12/stable)\n", "not understood"},
		"upgrade":            {"Inst redis-server [7.0-1] (7.0-2)\n", "not understood"},
	} {
		if _, err := parseSimulation([]byte(test.out)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, test.want)
		}
	}
}

func TestKernelPackage(t *testing.T) {
	resolved := []Package{
		{"kmod", "30", "amd64"},
		{"linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", "amd64"},
		{"linux-image-cloud-amd64", "6.1.192-2", "amd64"},
	}
	if got, err := kernelPackage(resolved); err != nil || got != resolved[1] {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := kernelPackage(resolved[2:]); err == nil {
		t.Errorf("from the metapackage alone: got %v, want an error", got)
	}
}

func TestPackageFileName(t *testing.T) {
	for want, p := range map[string]Package{
		"redis-server_5%3a7.0.15-1~deb12u10_amd64.deb": {"redis-server", "5:7.0.15-1~deb12u10", "amd64"},
		"media-types_10.0.0_all.deb":                   {"media-types", "10.0.0", "all"},
	} {
		if got := p.fileName(); got != want {
			t.Errorf("%v: got %s, want %s", p, got, want)
		}
	}
}
