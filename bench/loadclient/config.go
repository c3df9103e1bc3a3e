package main

// config is the first line on standard input: whom to connect to, and as what kind of proxy.
type config struct {
	Address string `json:"address"`
	// The gRPC method, with its leading slash.
	Path          string         `json:"path"`
	Delta         bool           `json:"delta"`
	Subscriptions []subscription `json:"subscriptions"`
	Node          nodeConfig     `json:"node"`
	// File with the certificate of the server; plain TCP when empty.
	CAFile string `json:"caFile"`
}

type subscription struct {
	TypeURL string   `json:"typeUrl"`
	Names   []string `json:"names"`
	// In addition to Names: Prefix0 … Prefix<Count-1>.
	Prefix string `json:"prefix"`
	Count  int    `json:"count"`
	// How many resources make the first state whole.
	Expect int `json:"expect"`
}

type nodeConfig struct {
	IDPrefix string `json:"idPrefix"`
	Cluster  string `json:"cluster"`
	// Size of the encoded node: Envoy lists its extensions there, about 61 KB of them.
	Bytes int `json:"bytes"`
	// Envoy 1.36 repeats its node in every delta request; others send it once per stream.
	EveryRequest bool `json:"everyRequest"`
}

func (s *subscription) allNames(index func(int) string) []string {
	names := append([]string(nil), s.Names...)
	for i := range s.Count {
		names = append(names, s.Prefix+index(i))
	}
	return names
}
