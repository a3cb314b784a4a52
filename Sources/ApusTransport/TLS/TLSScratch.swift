// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2

/// An event loop's memory for TLS: connections at rest hold no buffers. Confined to its loop.
package final class TLSScratch {
    // More than what one read can bring: its bytes, and a record that was waiting for its end.
    private static let plaintextSize = 96 * 1024
    // The largest record. Source: RFC 8446, section 5.1.
    private static let recordSize = 16 * 1024

    /// What is to be written, encrypted; empty between two uses.
    let ciphertext = OutputBuffer()
    private let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: TLSScratch.plaintextSize, alignment: 64)
    private let record = UnsafeMutableRawBufferPointer.allocate(byteCount: TLSScratch.recordSize, alignment: 64)
    private var isLent = false

    package init() {}

    deinit {
        plaintext.deallocate()
        record.deallocate()
    }

    /// Lends memory for decrypted bytes. Who asks while it is lent gets other memory.
    func withPlaintext(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        guard !isLent else {
            let other = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.recordSize, alignment: 64)
            defer { other.deallocate() }
            return body(other)
        }
        isLent = true
        defer { isLent = false }
        body(plaintext)
    }

    /// Cuts `output` into as few records as it fits: small pieces share one, large ones are not copied.
    func forEachRecord(of output: OutputBuffer, _ body: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        var filled = 0
        for piece in output.pieces {
            var rest = UnsafeRawBufferPointer(start: piece.start, count: piece.count)
            while !rest.isEmpty {
                if filled == 0, rest.count >= Self.recordSize || output.pieces.count == 1 {
                    guard body(rest) else { return false }
                    break
                }
                let part = rest.prefix(Self.recordSize - filled)
                UnsafeMutableRawBufferPointer(rebasing: record[filled...]).copyMemory(from: .init(rebasing: part))
                filled += part.count
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
                if filled == Self.recordSize {
                    guard body(UnsafeRawBufferPointer(record)) else { return false }
                    filled = 0
                }
            }
        }
        return filled == 0 || body(UnsafeRawBufferPointer(rebasing: record[..<filled]))
    }
}
