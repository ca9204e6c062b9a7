package spice

// productParts and productBodies are what multiplies, stores and forgets at the
// transistor level.
var productParts = []part{}

var productBodies = map[string]string{}
