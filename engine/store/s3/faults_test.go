package s3_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"encoding/pem"

	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/store/s3/s3test"
)

// writes are the verbs that change something, from a volume where the object "old" has the content "before".
var writes = map[string]struct {
	write func(volume objects.Volume, data []byte) error
	name  string
}{
	"Put":    {func(volume objects.Volume, data []byte) error { return volume.Put("new", data) }, "new"},
	"PutNew": {func(volume objects.Volume, data []byte) error { return volume.PutNew("new", data) }, "new"},
	"Replace": {func(volume objects.Volume, data []byte) error {
		version, err := volume.Version("old")
		return errors.Join(err, volume.Replace("old", data, version))
	}, "old"},
	"Move": {func(volume objects.Volume, data []byte) error {
		return errors.Join(volume.Put("next", data), volume.Move("next", "new"))
	}, "new"},
	"MoveOver": {func(volume objects.Volume, data []byte) error {
		version, err := volume.Version("old")
		return errors.Join(err, volume.Put("next", data), volume.MoveOver("next", "old", version))
	}, "old"},
	"Log": {func(volume objects.Volume, data []byte) error {
		log, err := volume.Append("new", 0)
		if err != nil {
			return err
		}
		_, err = log.Write(data)
		return errors.Join(err, log.Finish())
	}, "new"},
}

// TestEachRequestMayMeetEachFaultOnce has one request of each write meet one fault: the write succeeds, and what it wrote is there.
func TestEachRequestMayMeetEachFaultOnce(t *testing.T) {
	faults := map[string]s3test.Fate{
		"is lost": {Before: s3test.Reset}, "has its answer lost": {After: s3test.Reset}, "has its answer cut off": {Cut: true},
		"is slowed down": {Status: http.StatusServiceUnavailable, Code: "SlowDown"}, "meets a gateway": {Status: http.StatusBadGateway},
		"meets a conflict": {Status: http.StatusConflict, Code: "ConditionalRequestConflict"}, "hangs": {Hangs: true},
		"is throttled": {Status: http.StatusTooManyRequests, Code: "TooManyRequests"},
		"is slow":      {Delay: 4 * time.Second}, "fails inside": {Status: http.StatusInternalServerError, Code: "InternalError"},
	}
	for _, size := range []int{100, 3000} {
		for verb, tried := range writes {
			for fault, fate := range faults {
				if lost := fate.Before != nil || fate.After != nil; !lost && (size > 1000 || verb != "Replace") {
					continue // whatever is asked for, such an answer is treated alike
				}
				t.Run(fmt.Sprintf("%s of %d bytes: a request %s", verb, size, fault), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { meetEachOnce(t, tried.write, tried.name, size, fate) })
				})
			}
		}
	}
}

func meetEachOnce(t *testing.T, write func(objects.Volume, []byte) error, name string, size int, fate s3test.Fate) {
	t.Helper()
	data := []byte(strings.Repeat("0123456789", size/10))
	for fatal := 1; ; fatal++ {
		server := s3test.New()
		way := &s3test.Way{Handler: server, Meets: func(number int, _ *http.Request) s3test.Fate {
			if number == fatal {
				return fate
			}
			return s3test.Fate{}
		}}
		server.Put("sets/"+folder+"/old", "before")
		server.LeastPart = 0
		location := at(t, way)
		location.PartBytes = 1000
		volume, err := s3.Open(t.Context(), location, folder)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(write(volume, data), volume.Close()); err != nil {
			t.Fatalf("request %d: %v", fatal, err)
		}
		if found, _ := server.Object("sets/" + folder + "/" + name); found != string(data) {
			t.Fatalf("request %d: %d bytes are there, not %d", fatal, len(found), len(data))
		}
		if server.Uploads() > 1 { // one whose beginning was not answered is left to Tidy
			t.Errorf("request %d: %d uploads are left", fatal, server.Uploads())
		}
		if way.Number() < fatal {
			return
		}
	}
}

// TestALostAnswerHidesNoOtherWriter has another process write between the tries of a conditional write.
func TestALostAnswerHidesNoOtherWriter(t *testing.T) {
	for _, size := range []int{10, 20 << 20} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bytes, done: %v", size, done), func(t *testing.T) {
				server := s3test.New()
				way := &s3test.Way{Handler: server}
				lost := false
				location := at(t, roundTrip(func(request *http.Request) (*http.Response, error) {
					if lost || request.Header.Get("If-None-Match") == "" {
						return way.RoundTrip(request)
					}
					if lost = true; done {
						if _, err := way.RoundTrip(request); err != nil {
							return nil, err
						}
					}
					server.Put("sets/"+folder+"/name", "of another")
					return nil, s3test.Reset
				}))
				err := open(t, location).PutNew("name", make([]byte, size))
				if found, _ := server.Object("sets/" + folder + "/name"); !errors.Is(err, fs.ErrExist) || found != "of another" {
					t.Errorf("%q is there: %v", found, err)
				}
			})
		}
	}
}

// TestAnObjectIsMovedThatIsStillTheOneThatWasPut has the answer to the end of an upload lost, and another process write when the object is
// looked at again, or moved: that one's is not taken for ours.
func TestAnObjectIsMovedThatIsStillTheOneThatWasPut(t *testing.T) {
	server := s3test.New()
	way := &s3test.Way{Handler: server}
	server.LeastPart = 0
	lost, written := false, false
	location := at(t, roundTrip(func(request *http.Request) (*http.Response, error) {
		isMove := request.Header.Get("X-Amz-Copy-Source") != ""
		if lost && !written && (isMove || request.Method == http.MethodHead) {
			written = true
			server.Put("sets/"+folder+"/next", "of another")
		}
		response, err := way.RoundTrip(request)
		if err == nil && !lost && request.Method == http.MethodPost && request.URL.Query().Has("uploadId") {
			lost = true
			return nil, errors.Join(s3test.Reset, response.Body.Close())
		}
		return response, err
	}))
	location.PartBytes = 1000
	volume := open(t, location)
	if err := volume.Put("next", make([]byte, 3000)); err != nil {
		t.Fatal(err)
	}
	err := volume.Move("next", "name")
	if found, moved := server.Object("sets/" + folder + "/name"); !errors.Is(err, objects.ErrChanged) || moved || !written {
		t.Errorf("%q is there: %v", found, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// refusing answers all requests alike.
func refusing(fate s3test.Fate) *s3test.Way {
	return &s3test.Way{Handler: s3test.New(), Meets: func(int, *http.Request) s3test.Fate { return fate }}
}

// TestWhatAStoreRefusesIsSaid holds the errors to what a person needs, and to an end in time.
func TestWhatAStoreRefusesIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		way   *s3test.Way
		alter func(*s3.Location)
		kind  error
		says  []string
	}{
		"it is always too busy": {way: refusing(s3test.Fate{Status: 503, Code: "SlowDown"}), says: []string{"http://store.test", "SlowDown"}},
		"it hangs":              {way: refusing(s3test.Fate{Hangs: true}), says: []string{"took too long to answer"}},
		"nobody is there":       {way: refusing(s3test.Fate{Before: s3test.Reset}), says: []string{"can't be reached"}},
		"it is full":            {way: refusing(s3test.Fate{Status: 507}), kind: objects.ErrFull},
		"it has no such bucket": {way: &s3test.Way{Handler: s3test.New()}, alter: func(l *s3.Location) { l.Bucket = "none" },
			says: []string{"NoSuchBucket", "create the bucket"}},
		"it does not know the key": {way: &s3test.Way{Handler: s3test.New()},
			alter: func(l *s3.Location) { l.CredentialsDirectory = credentials(t, "stranger") }, says: []string{"InvalidAccessKeyId", "correct the credentials"}},
		"it is another tenant's prefix": {way: &s3test.Way{Handler: &s3test.Server{Allowed: "theirs/"}}, kind: fs.ErrPermission,
			says: []string{"AccessDenied", "below the prefix"}},
		"there are no credentials": {way: &s3test.Way{Handler: s3test.New()}, alter: func(l *s3.Location) { l.CredentialsDirectory = t.TempDir() },
			says: []string{s3.AccessKeyFile, s3.SecretKeyFile}},
	} {
		t.Run(name, func(t *testing.T) {
			if server, is := test.way.Handler.(*s3test.Server); is && server.Now == nil {
				fresh := s3test.New()
				fresh.Allowed = server.Allowed
				test.way.Handler = fresh
			}
			synctest.Test(t, func(t *testing.T) {
				location := at(t, test.way)
				if test.alter != nil {
					test.alter(location)
				}
				volume, err := s3.Open(t.Context(), location, folder)
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				err = volume.Put("name", []byte("content"))
				if took := time.Since(begin); took > location.Patience+location.Timeout {
					t.Errorf("it took %v to say so", took)
				}
				var advised interface{ Advice() string }
				if err == nil || !errors.As(err, &advised) || test.kind != nil && !errors.Is(err, test.kind) {
					t.Fatalf("got %v", err)
				}
				text := err.Error() + "; " + advised.Advice()
				for _, part := range test.says {
					if !strings.Contains(text, part) {
						t.Errorf("%q does not say %q", text, part)
					}
				}
				if strings.Contains(text, s3test.SecretKey) || strings.Contains(text, "RequestID") {
					t.Errorf("it says too much: %s", text)
				}
				if err := volume.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestCredentialsThatExpireAreReadAgain has the Secret replaced, as a renewal does, and then not.
func TestCredentialsThatExpireAreReadAgain(t *testing.T) {
	server := s3test.New()
	location := at(t, &s3test.Way{Handler: server})
	volume := open(t, location)
	if err := volume.Put("name", nil); err != nil {
		t.Fatal(err)
	}
	server.Expire(s3test.AccessKey, "second")
	err := volume.Put("name", nil)
	if err == nil || !strings.Contains(err.Error(), "ExpiredToken") {
		t.Fatalf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(location.CredentialsDirectory, s3.AccessKeyFile), []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := volume.Put("name", []byte("again")); err != nil {
		t.Errorf("with the new ones: %v", err)
	}
}

func TestClocksMayDiffer(t *testing.T) {
	server := s3test.New()
	server.Now = func() time.Time { return time.Now().Add(-3 * time.Hour) }
	if err := open(t, at(t, &s3test.Way{Handler: server})).Put("name", []byte("content")); err != nil {
		t.Fatal(err)
	}
}

func TestAnObjectIsEncryptedHoweverItIsWritten(t *testing.T) {
	server := s3test.New()
	location := at(t, &s3test.Way{Handler: server})
	location.Encryption, location.Key = "aws:kms", "key-1"
	volume := open(t, location)
	err := errors.Join(volume.Put("small", nil), volume.Put("large", make([]byte, 17<<20)), volume.Put("next", nil),
		volume.Move("next", "moved"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"small", "large", "moved"} {
		if how := server.Encrypted("sets/" + folder + "/" + name); how != "aws:kms" {
			t.Errorf("%s: %q", name, how)
		}
	}
}

func TestAnUnfitStoreIsFoundAndNamed(t *testing.T) {
	for name, test := range map[string]struct {
		unfit s3test.Unfit
		says  string
	}{
		"it ignores all conditions":            {s3test.Unfit{Puts: true, Completions: true}, "If-None-Match must leave alone"},
		"it ignores those on a version":        {s3test.Unfit{OnlyMatch: true}, "another one than If-Match names"},
		"it ignores those of uploads in parts": {s3test.Unfit{Completions: true}, "upload in parts with If-None-Match"},
		"it refuses all of them":               {s3test.Unfit{Unknown: true}, "does not know such a write"},
		"it has no versions":                   {s3test.Unfit{Tag: "-"}, "does not tell an object from the one that it has replaced"},
		"all versions are the same":            {s3test.Unfit{Tag: `""`}, "does not tell an object from the one that it has replaced"},
		"it honours all":                       {},
	} {
		t.Run(name, func(t *testing.T) {
			server := s3test.New()
			server.Unfit = test.unfit
			err := open(t, at(t, &s3test.Way{Handler: server})).Probe("probes")
			var unfit *s3.UnfitError
			switch {
			case test.says == "" && err != nil:
				t.Error(err)
			case test.says != "" && (!errors.As(err, &unfit) || !errors.Is(err, objects.ErrUnfit)):
				t.Errorf("got %v", err)
			case test.says != "":
				for _, part := range []string{test.says, "http://store.test", `"s3test"`} {
					if !strings.Contains(unfit.Error(), part) {
						t.Errorf("%q does not say %q", unfit, part)
					}
				}
			}
			if keys := server.Keys(); len(keys) > 0 || server.Uploads() > 0 {
				t.Errorf("%q and %d uploads are left", keys, server.Uploads())
			}
		})
	}
}

// TestAProbeMayMeetAnyFault holds the probe to its verdict when a request of it, or its answer, is lost.
func TestAProbeMayMeetAnyFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fate := range []s3test.Fate{{Before: s3test.Reset}, {After: s3test.Reset}} {
			for fatal := 1; ; fatal++ {
				way := &s3test.Way{Handler: s3test.New(), Meets: func(number int, _ *http.Request) s3test.Fate {
					if number == fatal {
						return fate
					}
					return s3test.Fate{}
				}}
				volume := open(t, at(t, way))
				if err := errors.Join(volume.Probe("probes"), volume.Close()); err != nil {
					t.Errorf("request %d: %v", fatal, err)
				}
				if way.Number() < fatal {
					break
				}
			}
		}
	})
}

// TestTheCertificateIsCheckedAgainstTheBundle talks to a server with a certificate of its own.
func TestTheCertificateIsCheckedAgainstTheBundle(t *testing.T) {
	server := httptest.NewTLSServer(s3test.New())
	defer server.Close()
	location := at(t, nil)
	location.Endpoint, location.Transport = server.URL, nil
	err := open(t, location).Put("name", nil)
	if err == nil || !strings.Contains(err.Error(), "is not trusted") {
		t.Errorf("without its certificate: %v", err)
	}
	location.CABundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	volume := open(t, location)
	if err := errors.Join(volume.Put("name", []byte("content")), volume.Close()); err != nil {
		t.Errorf("with it: %v", err)
	}
	location.CABundle = []byte("no certificate")
	if _, err := s3.Open(t.Context(), location, folder); err == nil {
		t.Error("a bundle without certificates was taken")
	}
}

// TestAKillCostsWhatWasNotSynced says what a kill may cost.
func TestAKillCostsWhatWasNotSynced(t *testing.T) {
	location := at(t, &s3test.Way{Handler: s3test.New()})
	log, err := open(t, location).Append("journal/1", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"one\n", "two\n"} {
		_, writing := log.Write([]byte(step))
		if err := errors.Join(writing, log.Sync()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Write([]byte("three\n")); err != nil {
		t.Fatal(err)
	}
	after := open(t, location)
	if got, err := after.ReadLog("journal/1"); err != nil || string(got) != "one\ntwo\n" {
		t.Errorf("%q is there: %v", got, err)
	}
	// One that has lost its right, and does not know, extends what it has.
	next, err := after.Append("journal/1", 4)
	if err != nil {
		t.Fatal(err)
	}
	_, writing := next.Write([]byte("zwei\n"))
	if err := errors.Join(writing, next.Sync(), log.Sync()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsBesideTheFolderIsLeftAlone(t *testing.T) {
	server := s3test.New()
	for _, key := range []string{"sets/team/reviews-2/0123/x", "sets/team/reviews", "sets/team2/reviews/x", "other/team/reviews/x"} {
		server.Put(key, "theirs")
	}
	beside := len(server.Keys())
	location := at(t, &s3test.Way{Handler: server})
	volume := open(t, location)
	if err := errors.Join(volume.Put("a/b", nil), volume.Lead("latest")); err != nil {
		t.Fatal(err)
	}
	if latest, _ := server.Object("sets/team/reviews/latest"); latest != "0123\n" {
		t.Errorf("latest leads to %q", latest)
	}
	for range 2 {
		if err := s3.RemoveTree(t.Context(), location, "team/reviews"); err != nil {
			t.Fatal(err)
		}
	}
	if keys := server.Keys(); len(keys) != beside {
		t.Errorf("%q are left", keys)
	}
}
