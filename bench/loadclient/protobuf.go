package main

import "encoding/binary"

// Protobuf by hand, only what a discovery client needs.

func appendVarint(to []byte, field int, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(to, uint64(field)<<3), value)
}

func appendBytes[T string | []byte](to []byte, field int, value T) []byte {
	to = binary.AppendUvarint(binary.AppendUvarint(to, uint64(field)<<3|2), uint64(len(value)))
	return append(to, value...)
}

// descend returns the first occurrence of a length-delimited field. The input may be a prefix of the whole message;
// then so may be the answer.
func descend(message []byte, field uint64) []byte {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return nil
		}
		message = message[n:]
		value, n := binary.Uvarint(message)
		if n <= 0 {
			return nil
		}
		message = message[n:]
		switch tag & 7 {
		case 0:
		case 2:
			size := min(uint64(len(message)), value)
			if tag>>3 == field {
				return message[:size]
			}
			message = message[size:]
		default:
			return nil
		}
	}
	return nil
}
