package node

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"net"
	"os"
	"strings"
	"syscall"
	"text/template"

	"seedloom.dev/seedloom/hack/cluster/internal/certificate"
	"seedloom.dev/seedloom/hack/cluster/internal/component"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*"))

// settings is what the templates read.
type settings struct {
	State, Socket, Address, NodeName string
	DNSAddress, PodRange             string
	PodBridge, NetworkName           string
	PauseImage, DNSImage             string
	Snapshotter, ResolverFile        string
	BridgeFiltering, Forward         bool
}

// settings looks at the machine where the right value depends on it.
func (c *Cluster) settings() settings {
	resolver := resolverFile("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
	return settings{
		State: c.State, Socket: c.socket(), Address: Address, NodeName: Name,
		DNSAddress: dnsAddress, PodRange: podRange,
		PodBridge: podBridge, NetworkName: networkName,
		PauseImage: pauseImage, DNSImage: dnsImage,
		Snapshotter:     snapshotter(c.State),
		ResolverFile:    resolver,
		BridgeFiltering: fileHolds("/proc/sys/net/bridge/bridge-nf-call-iptables", "1"),
		Forward:         len(nameservers(resolver)) > 0,
	}
}

// render fills in one template.
func render(name string, values settings) ([]byte, error) {
	var output bytes.Buffer
	err := templates.ExecuteTemplate(&output, name, values)
	return output.Bytes(), err
}

// configurationFiles says which program reads which rendered template.
func (c *Cluster) configurationFiles() []configurationFile {
	return []configurationFile{
		{"containerd.toml", c.path("config", "containerd.toml"), component.Containerd},
		{"kubelet.yaml", c.path("config", "kubelet.yaml"), component.Kubelet},
		{"kube-proxy.yaml", c.path("config", "kube-proxy.yaml"), component.Proxy},
		{"network.conflist", c.path("cni", "10-seedloom.conflist"), component.Containerd},
	}
}

type configurationFile struct {
	template, path string
	reader         component.Program
}

// writeConfiguration writes the files that the node's programs read. A file that is right already is
// not touched, because kube-proxy ends when its file is written; a program whose file changed is
// stopped, to be started again with the new one.
func (c *Cluster) writeConfiguration(ctx context.Context, values settings) error {
	for _, file := range c.configurationFiles() {
		content, err := render(file.template, values)
		if err != nil {
			return err
		}
		if present, err := os.ReadFile(file.path); err == nil && bytes.Equal(present, content) {
			continue
		}
		if err := c.stopPrograms(ctx, []component.Program{file.reader}); err != nil {
			return err
		}
		if err := os.WriteFile(file.path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeCertificates makes every identity of the cluster and the configurations that carry them.
func (c *Cluster) writeCertificates() error {
	authority, err := certificate.Open(c.path("certificates"))
	if err != nil {
		return err
	}
	local := []net.IP{net.ParseIP(Address), net.ParseIP("127.0.0.1")}
	leaves := []certificate.Leaf{
		{Name: "etcd", CommonName: "etcd", Addresses: local},
		{Name: "kube-apiserver", CommonName: "kube-apiserver",
			Addresses: append([]net.IP{net.ParseIP(serviceAddress)}, local...),
			DNSNames: []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc",
				"kubernetes.default.svc.cluster.local", "localhost"}},
		// The API server is the kubelet's client for logs and exec.
		{Name: "kubelet-client", CommonName: "kube-apiserver-kubelet-client", Organizations: []string{"system:masters"}},
		{Name: "kubelet", CommonName: "system:node:" + Name, Organizations: []string{"system:nodes"},
			Addresses: local, DNSNames: []string{Name}},
		{Name: "kube-controller-manager", CommonName: "system:kube-controller-manager"},
		{Name: "kube-scheduler", CommonName: "system:kube-scheduler"},
		{Name: "kube-proxy", CommonName: "system:kube-proxy"},
		{Name: "administrator", CommonName: "seedloom:administrator", Organizations: []string{"system:masters"}},
	}
	for _, leaf := range leaves {
		if err := authority.Issue(leaf); err != nil {
			return err
		}
	}
	if err := authority.SigningKey("service-accounts"); err != nil {
		return err
	}
	for leaf, path := range map[string]string{
		"kubelet":                 c.path("kubeconfigs", "kubelet"),
		"kube-controller-manager": c.path("kubeconfigs", "kube-controller-manager"),
		"kube-scheduler":          c.path("kubeconfigs", "kube-scheduler"),
		"kube-proxy":              c.path("kubeconfigs", "kube-proxy"),
		"administrator":           c.Kubeconfig(),
	} {
		content, err := authority.Kubeconfig(leaf, Server)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// arguments returns the command line of a program.
func (c *Cluster) arguments(program component.Program) []string {
	certificates := c.path("certificates") + "/"
	switch program {
	case component.Etcd:
		client, peer := "https://"+Address+":2379", "https://"+Address+":2380"
		return []string{
			"--name=seedloom", "--data-dir=" + c.path("etcd"),
			"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=seedloom=" + peer,
			"--cert-file=" + certificates + "etcd.crt", "--key-file=" + certificates + "etcd.key",
			"--trusted-ca-file=" + certificates + "ca.crt", "--client-cert-auth",
			"--peer-cert-file=" + certificates + "etcd.crt", "--peer-key-file=" + certificates + "etcd.key",
			"--peer-trusted-ca-file=" + certificates + "ca.crt", "--peer-client-cert-auth",
			// The data is not worth a disk flush for each write.
			"--unsafe-no-fsync",
		}
	case component.APIServer:
		return apiServerArguments(certificates)
	case component.ControllerManager:
		return []string{
			"--kubeconfig=" + c.path("kubeconfigs", "kube-controller-manager"),
			"--bind-address=127.0.0.1", "--leader-elect=false", "--use-service-account-credentials",
			"--root-ca-file=" + certificates + "ca.crt",
			"--service-account-private-key-file=" + certificates + "service-accounts.key",
			"--cluster-signing-cert-file=" + certificates + "ca.crt",
			"--cluster-signing-key-file=" + certificates + "ca.key",
			"--profiling=false",
		}
	case component.Scheduler:
		return []string{
			"--kubeconfig=" + c.path("kubeconfigs", "kube-scheduler"),
			"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false",
		}
	case component.Containerd:
		return []string{"--config", c.path("config", "containerd.toml")}
	case component.Kubelet:
		return []string{
			"--config=" + c.path("config", "kubelet.yaml"),
			"--kubeconfig=" + c.path("kubeconfigs", "kubelet"),
			"--root-dir=" + c.path("kubelet"), "--cert-dir=" + c.path("kubelet", "pki"),
			"--hostname-override=" + Name, "--node-ip=" + Address,
		}
	case component.Proxy:
		return []string{"--config=" + c.path("config", "kube-proxy.yaml")}
	}
	return nil
}

// apiServerArguments returns the command line of the API server, with the folder of its certificates.
func apiServerArguments(certificates string) []string {
	return []string{
		"--bind-address=" + Address, "--advertise-address=" + Address, "--secure-port=6443",
		"--etcd-servers=https://" + Address + ":2379",
		"--etcd-cafile=" + certificates + "ca.crt",
		"--etcd-certfile=" + certificates + "etcd.crt", "--etcd-keyfile=" + certificates + "etcd.key",
		"--client-ca-file=" + certificates + "ca.crt",
		"--tls-cert-file=" + certificates + "kube-apiserver.crt",
		"--tls-private-key-file=" + certificates + "kube-apiserver.key",
		"--kubelet-certificate-authority=" + certificates + "ca.crt",
		"--kubelet-client-certificate=" + certificates + "kubelet-client.crt",
		"--kubelet-client-key=" + certificates + "kubelet-client.key",
		"--kubelet-preferred-address-types=InternalIP",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--service-cluster-ip-range=" + serviceRange,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + certificates + "service-accounts.pub",
		"--service-account-signing-key-file=" + certificates + "service-accounts.key",
		"--profiling=false",
	}
}

// snapshotter avoids overlay upon overlay, which the kernel refuses (a container as the machine).
func snapshotter(folder string) string {
	const overlay = 0x794c7630
	var information syscall.Statfs_t
	if err := syscall.Statfs(folder, &information); err == nil && int64(information.Type) == overlay {
		return "native"
	}
	return "overlayfs"
}

// resolverFile returns the file with the machine's real name servers: a resolver that listens on
// loopback cannot be reached from a Pod.
func resolverFile(standard, behindStub string) string {
	for _, server := range nameservers(standard) {
		if !strings.HasPrefix(server, "127.") {
			return standard
		}
	}
	if len(nameservers(behindStub)) > 0 {
		return behindStub
	}
	return standard
}

func nameservers(path string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var servers []string
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "nameserver" {
			servers = append(servers, fields[1])
		}
	}
	return servers
}

func fileHolds(path, want string) bool {
	content, err := os.ReadFile(path)
	return err == nil && strings.TrimSpace(string(content)) == want
}
