package blob

import "errors"

func newS3(string, string, map[string]string) (Store, error) {
	return nil, errors.New("UPLOAD_ROOT: S3 is not there yet")
}
