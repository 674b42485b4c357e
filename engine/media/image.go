package media

import (
	"bytes"
	"image"

	// The formats that image.DecodeConfig knows from here on.
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp"
)

// imageType is the media type of an image, by its first bytes; empty when it is none that is known.
func imageType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "image/gif"
	case len(data) > 12 && bytes.HasPrefix(data, []byte("RIFF")) && string(data[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}

// maxPixels bounds the images that are decoded: far beyond what models make, so that a small file can't exhaust the memory.
const maxPixels = 64 << 20

// CheckImage says what is wrong with an image; empty when it can be decoded. extension is that of a file that holds it.
func CheckImage(data []byte) (extension, problem string) {
	switch imageType(data) {
	case "image/png":
		extension = "png"
	case "image/jpeg":
		extension = "jpg"
	case "image/gif":
		extension = "gif"
	case "image/webp":
		extension = "webp"
	default:
		return "", "it is neither PNG, JPEG, GIF nor WebP"
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil:
		return extension, "its header is damaged"
	case config.Width*config.Height > maxPixels:
		return extension, "it is too large"
	}
	if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
		return extension, "it is damaged"
	}
	return extension, ""
}
