package runreport

import (
	"fmt"
	"slices"
	"time"
)

const (
	// SharesPath is where a Pod is told its shares of endpoints that several Pods send requests to.
	SharesPath = "/shares"
	// PodUIDVariable is the environment variable with the unique identifier of the Pod.
	PodUIDVariable = "SEEDLOOM_POD_UID"
	// SharePatience is for how long a Pod waits to be told its shares for the first time, before it goes on with a part of its own.
	SharePatience = 15 * time.Second
	// ShareValidity is for how long a share holds that is not told again. It is longer than an operator needs to be started again.
	ShareValidity = 30 * time.Second
	// MaxShare is the largest number that a document about shares may name: what adds such numbers up never overflows.
	MaxShare = 1_000_000
	// MaxSharesBytes is the largest document about shares that is read.
	MaxSharesBytes = 128 << 10
)

// PodIdentity is which Pod a document is meant for, or comes from.
type PodIdentity struct {
	UID     string `json:"uid"`
	RunID   string `json:"runID"`
	Attempt int32  `json:"attempt"`
	Shard   int32  `json:"shard"`
}

// Shares tell a Pod how many requests it may have in flight to endpoints; to those that are not named, as many as its models allow.
type Shares struct {
	Version int         `json:"version"`
	Pod     PodIdentity `json:"pod"`
	// Sequence grows, so that what is told late does not take the place of what was told after it.
	Sequence int64 `json:"sequence"`
	// Ask says that nothing is told: the Pod keeps what it has, and only answers.
	Ask    bool    `json:"ask,omitempty"`
	Shares []Share `json:"shares,omitempty"`
}

// Share is the part that a Pod has in what may be in flight to an endpoint.
type Share struct {
	// Endpoint is the identity of the endpoint.
	Endpoint string `json:"endpoint"`
	Limit    int    `json:"limit"`
	// Alone is the part that the Pod has once it is told nothing any more.
	Alone int `json:"alone"`
}

// ShareAlone is the part that a Pod has of a limit while it is told none: an equal one for each shard of its run, and at least 1.
func ShareAlone(limit, shards int32) int { return int(max(1, limit/max(1, shards))) }

// SharesReport is what holds in a Pod, the answer to Shares.
type SharesReport struct {
	Version int         `json:"version"`
	Pod     PodIdentity `json:"pod"`
	// Sequence is that of the newest shares that the Pod was told.
	Sequence  int64        `json:"sequence"`
	Endpoints []ShareState `json:"endpoints,omitempty"`
}

// ShareState is what a Pod does with its share of an endpoint.
type ShareState struct {
	Endpoint string `json:"endpoint"`
	// Limit is the one that new requests keep to, where Limited says that there is one. It follows what was told with a delay.
	Limit   int  `json:"limit"`
	Limited bool `json:"limited"`
	// Running are the requests in flight, which may be more than a limit that was lowered; Wanted is how many would be without it.
	Running int `json:"running"`
	Wanted  int `json:"wanted"`
}

// ParseShares reads what a Pod is told, strictly.
func ParseShares(data []byte) (*Shares, error) {
	var shares Shares
	if err := parse(data, &shares); err != nil {
		return nil, err
	}
	if shares.Version != Version {
		return nil, fmt.Errorf("shares have version %d, want %d", shares.Version, Version)
	}
	for _, share := range shares.Shares {
		if outOfRange(share.Limit, share.Alone) {
			return nil, fmt.Errorf("the share of an endpoint is not from 0 to %d", MaxShare)
		}
	}
	return &shares, nil
}

// ParseSharesReport reads what holds in a Pod, strictly.
func ParseSharesReport(data []byte) (*SharesReport, error) {
	if len(data) > MaxSharesBytes {
		return nil, fmt.Errorf("report on shares has more than %d bytes", MaxSharesBytes)
	}
	var report SharesReport
	if err := parse(data, &report); err != nil {
		return nil, err
	}
	if report.Version != Version {
		return nil, fmt.Errorf("report on shares has version %d, want %d", report.Version, Version)
	}
	for _, state := range report.Endpoints {
		if outOfRange(state.Limit, state.Running, state.Wanted) {
			return nil, fmt.Errorf("the state of an endpoint is not from 0 to %d", MaxShare)
		}
	}
	return &report, nil
}

func outOfRange(numbers ...int) bool {
	return slices.ContainsFunc(numbers, func(number int) bool { return number < 0 || number > MaxShare })
}
