// SPDX-License-Identifier: Apache-2.0

/// What a connection is about to write: small pieces copied into one scratch area, large ones referenced in place.
///
/// One for each event loop, used by one connection at a time between two writes. Confined to its loop.
public final class OutputBuffer {
    /// A run of bytes, laid out as `struct iovec`.
    package struct Piece {
        package let start: UnsafeMutableRawPointer
        package var count: Int
    }

    /// Once this many bytes are gathered they are written before more is pulled from the session: what a socket does
    /// not take is copied and kept.
    package static let highWaterMark = 64 * 1024
    /// The same for a socket that has just taken all of that.
    package static let highestWaterMark = 256 * 1024
    /// Pieces of at least this many bytes are referenced, not copied.
    package static let referenceThreshold = 2048
    private static let maximumPieces = 256

    // The last frames may exceed the mark: each at most a DATA frame of 16 KiB, or what nghttp2 hands out at once.
    private let capacity = OutputBuffer.highestWaterMark + 64 * 1024
    private let scratch: UnsafeMutableRawPointer
    // Unchecked: one thread, and nothing here calls back.
    @exclusivity(unchecked) private var used = 0
    @exclusivity(unchecked) private var owners: [AnyObject] = []
    @exclusivity(unchecked) package private(set) var pieces: [Piece] = []
    @exclusivity(unchecked) package private(set) var count = 0

    package init() {
        scratch = .allocate(byteCount: capacity, alignment: 16)
        pieces.reserveCapacity(Self.maximumPieces + 8)
    }

    deinit { scratch.deallocate() }

    /// How many bytes are gathered at most, but for a frame: one of the two marks.
    @exclusivity(unchecked) package var limit = OutputBuffer.highWaterMark

    package var isEmpty: Bool { count == 0 }
    package var isFull: Bool { count >= limit || pieces.count >= Self.maximumPieces }

    /// Copies `bytes`.
    package func append(copying bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        guard bytes.count <= capacity - used else { return append(keeping: Copy(bytes)) }
        let target = scratch + used
        target.copyMemory(from: source, byteCount: bytes.count)
        used += bytes.count
        count += bytes.count
        if let last = pieces.last, last.start + last.count == target {
            pieces[pieces.count - 1].count += bytes.count
        } else {
            pieces.append(Piece(start: target, count: bytes.count))
        }
    }

    /// References `bytes`, which stay valid as long as `owner` lives; short ones are copied.
    package func append(_ bytes: UnsafeRawBufferPointer, owner: @autoclosure () -> AnyObject) {
        guard bytes.count >= Self.referenceThreshold, let start = bytes.baseAddress else {
            return append(copying: bytes)
        }
        // Never written through: Piece is mutable only because iovec is.
        pieces.append(Piece(start: UnsafeMutableRawPointer(mutating: start), count: bytes.count))
        owners.append(owner())
        count += bytes.count
    }

    /// Forgets everything, once it has been written or copied.
    package func reset() {
        used = 0
        count = 0
        pieces.removeAll(keepingCapacity: true)
        owners.removeAll(keepingCapacity: true)
    }

    /// The bytes from `offset` on, in one array.
    package func remainder(from offset: Int) -> [UInt8] {
        var skip = offset
        var rest: [UInt8] = []
        rest.reserveCapacity(count - offset)
        for piece in pieces {
            if skip >= piece.count {
                skip -= piece.count
            } else {
                rest.append(contentsOf: UnsafeRawBufferPointer(start: piece.start + skip, count: piece.count - skip))
                skip = 0
            }
        }
        return rest
    }

    private final class Copy {
        let bytes: UnsafeMutableRawBufferPointer

        init(_ source: UnsafeRawBufferPointer) {
            bytes = .allocate(byteCount: source.count, alignment: 1)
            bytes.copyMemory(from: source)
        }

        deinit { bytes.deallocate() }
    }

    private func append(keeping copy: Copy) {
        pieces.append(Piece(start: copy.bytes.baseAddress ?? scratch, count: copy.bytes.count))
        owners.append(copy)
        count += copy.bytes.count
    }
}
