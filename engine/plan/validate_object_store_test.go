package plan_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

func TestPlacesInBucketsAreChecked(t *testing.T) {
	const url = "s3://bucket/prefix"
	for name, test := range map[string]struct {
		place v1alpha1.ObjectStoreOutput
		// wrong are the members that are wrong, in their order.
		wrong string
	}{
		"a bucket":               {v1alpha1.ObjectStoreOutput{URL: "s3://bucket"}, ""},
		"a prefix":               {v1alpha1.ObjectStoreOutput{URL: "s3://my.bucket-1/a/b_c/d=1/"}, ""},
		"all":                    {v1alpha1.ObjectStoreOutput{URL: url, Endpoint: "https://s3.example.com:9000/", Region: "eu-central-1", Addressing: "PathStyle"}, ""},
		"a key of one's own":     {v1alpha1.ObjectStoreOutput{URL: url, ServerSideEncryption: &v1alpha1.ServerSideEncryption{Algorithm: "KMS", KeyID: "arn:x"}}, ""},
		"nothing":                {v1alpha1.ObjectStoreOutput{}, "url"},
		"another scheme":         {v1alpha1.ObjectStoreOutput{URL: "gs://bucket"}, "url"},
		"no bucket":              {v1alpha1.ObjectStoreOutput{URL: "s3:///prefix"}, "url"},
		"a way out of it":        {v1alpha1.ObjectStoreOutput{URL: "s3://bucket/../other"}, "url"},
		"a hidden folder":        {v1alpha1.ObjectStoreOutput{URL: "s3://bucket/.x"}, "url"},
		"an empty folder":        {v1alpha1.ObjectStoreOutput{URL: "s3://bucket/a//b"}, "url"},
		"no text":                {v1alpha1.ObjectStoreOutput{URL: "s3://bucket/\xff"}, "url"},
		"a password in the URL":  {v1alpha1.ObjectStoreOutput{URL: "s3://key:hunter2@bucket", Endpoint: "https://key:hunter2@host"}, "url endpoint"},
		"no URL as endpoint":     {v1alpha1.ObjectStoreOutput{URL: url, Endpoint: "s3.example.com"}, "endpoint"},
		"a path in the endpoint": {v1alpha1.ObjectStoreOutput{URL: url, Endpoint: "https://host/bucket"}, "endpoint"},
		"a wrong region":         {v1alpha1.ObjectStoreOutput{URL: url, Region: "EU Central"}, "region"},
		"a wrong addressing":     {v1alpha1.ObjectStoreOutput{URL: url, Endpoint: "http://h", Addressing: "Path"}, "addressing"},
		"what has no effect": {v1alpha1.ObjectStoreOutput{URL: url, Addressing: "PathStyle", CABundleConfigMapRef: &v1alpha1.ConfigMapKeyReference{}},
			"addressing caBundleConfigMapRef"},
		"another encryption": {v1alpha1.ObjectStoreOutput{URL: url, ServerSideEncryption: &v1alpha1.ServerSideEncryption{Algorithm: "ROT13"}},
			"serverSideEncryption.algorithm"},
		"a key for none": {v1alpha1.ObjectStoreOutput{URL: url, ServerSideEncryption: &v1alpha1.ServerSideEncryption{Algorithm: "AES256", KeyID: "x"}},
			"serverSideEncryption.keyID"},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong []string
			for _, violation := range plan.ValidateObjectStore("place", &test.place) {
				wrong = append(wrong, strings.TrimPrefix(violation.Field, "place."))
				if strings.Contains(violation.Message, "hunter2") {
					t.Errorf("%s tells the password", violation.Message)
				}
			}
			if got := strings.Join(wrong, " "); got != test.wrong {
				t.Errorf("wrong are %q, want %q", got, test.wrong)
			}
		})
	}
}
