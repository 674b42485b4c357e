package model

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// maxRedirects is how often the address of an image may lead to another one.
const maxRedirects = 5

type imagesAnswer struct {
	Object string          `json:"object"`
	Data   []imageForm     `json:"data"`
	Usage  openAIUsage     `json:"usage"`
	Error  json.RawMessage `json:"error"`
}

// Images has a model make images by the endpoint /images/generations. What the answer only names is for Load to get. What can't be read is
// left out. The usage counts the request in any case. A cancelled context is returned as it is; every other error is a failure.Error.
func (c *Client) Images(ctx context.Context, prompt string) ([]Media, runreport.Usage, error) {
	if c.imagesURL == nil {
		return nil, runreport.Usage{Failed: 1}, c.unknownAPI("images")
	}
	usage := runreport.Usage{Failed: 1}
	var images []Media
	err := c.limited(ctx, func(ctx context.Context) error {
		body := appendTextMember(append(make([]byte, 0, len(prompt)+len(c.extra)+256), '{'), "model", c.settings.model)
		body = appendTextMember(body, "prompt", prompt)
		received, err := c.post(ctx, sent{c.imagesURL, c.closed(body)})
		if err != nil {
			return err
		}
		defer received.release()
		var document imagesAnswer
		if decode(received.data, &document) != nil {
			return c.unreadable(received.header)
		}
		if err := c.refusal(received, document.Object, document.Error); err != nil {
			return err
		}
		usage = document.Usage.tokens()
		c.believe(&usage, received)
		usage.Succeeded = 1
		for i := range document.Data {
			if media, ok := document.Data[i].media(); ok {
				images = append(images, media)
			}
		}
		usage.Images = int64(len(images))
		return nil
	})
	if err == nil && len(images) == 0 {
		err = failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q answered without any image", c.alias)
	}
	if err != nil {
		return nil, usage, err
	}
	return images, usage, nil
}

// Load returns an image of an answer with its data: what is at an address is downloaded, under the model's deadline, and without its API
// key. A cancelled context is returned as it is; every other error is a failure.Error.
func (c *Client) Load(ctx context.Context, image Media) (Media, error) {
	var loaded Media
	err := c.limited(ctx, func(ctx context.Context) (err error) {
		loaded, err = c.load(ctx, image)
		return err
	})
	return loaded, err
}

func (c *Client) load(ctx context.Context, image Media) (Media, error) {
	if image.URL == "" {
		return image, nil
	}
	address, err := url.Parse(image.URL)
	if err != nil || address.Host == "" {
		return Media{}, c.noImage("is at an address that is no URL")
	}
	data, err := c.download(ctx, address)
	if err != nil {
		return Media{}, err
	}
	kind := http.DetectContentType(data)
	if !strings.HasPrefix(kind, "image/") {
		return Media{}, c.noImage("is no image but " + kind)
	}
	return Media{Modality: v1alpha1.MediaImage, MediaType: kind, Data: base64.StdEncoding.EncodeToString(data)}, nil
}

// download tells of an address its host only: the rest may be a key to it.
func (c *Client) download(ctx context.Context, address *url.URL) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, c.noImage("is at an address that is no URL")
	}
	client := &http.Client{Transport: c.downloads, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		return nil
	}}
	response, err := client.Do(request)
	if refused := (*connection.AddressRefusal)(nil); errors.As(err, &refused) {
		return nil, c.noImage(fmt.Sprintf("is at %s, which %s", address.Host, refused))
	}
	if refused := (*connection.EndpointRefusal)(nil); errors.As(err, &refused) {
		return nil, c.noImage(refused.Error())
	}
	if err != nil {
		return nil, c.undownloaded(address, cmp.Or(connection.Problem(err), connection.Failed))
	}
	defer response.Body.Close()
	if status := response.StatusCode; status != http.StatusOK {
		if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
			return nil, c.undownloaded(address, fmt.Sprintf("HTTP %d", status))
		}
		return nil, c.noImage(fmt.Sprintf("is not where the answer says (HTTP %d)", status))
	}
	held := c.answers.open()
	defer held.release()
	data, err := readBody(ctx, held, response.Body, min(response.ContentLength, maxAnswerBytes))
	if err != nil {
		return nil, c.undownloaded(address, "the answer was incomplete")
	}
	if len(data) > maxAnswerBytes {
		return nil, c.tooLarge()
	}
	return data, nil
}

func (c *Client) noImage(problem string) error {
	return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "an image of model %q %s", c.alias, problem)
}

func (c *Client) undownloaded(address *url.URL, problem string) error {
	return failure.New(v1alpha1.ReasonProviderUnavailable, failure.RetryLater,
		"an image of model %q could not be downloaded from %s: %s", c.alias, address.Host, problem)
}
