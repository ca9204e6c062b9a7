// Package emit holds what every target language shares: sets of output files
// that are written all or not at all, names that are legal in the language, and
// a text writer.
//
// # For maintainers
//
// A printer prepares, names, then prints: it decides everything before it writes
// the first byte, asks Names for every name that comes from a model, and changes
// nothing while it prints. Printers are methods over a Writer, which keeps its
// first error, so that they read like the text they produce; templates are for
// text that users bring.
//
// Names from a model are hostile until Names has seen them. A population called
// "x\n.control\nshell …" must end as an identifier in a netlist and as harmless
// text in a comment; that is what Names.Of and Writer.Comment are for, and no
// printer should have another way.
package emit
