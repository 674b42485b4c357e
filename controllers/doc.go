// Package controllers is the root of the operator's rooms, and holds no code. The doc.go of each says what its files hold.
//
//	configuration      the operator's configuration file
//	datasetgeneration  the reconciler of DatasetGeneration resources
//	enginepods         what running Pods are asked and told: progress, and shares of endpoints
//	webhook            the validating webhook, and its certificate
package controllers
