// SPDX-License-Identifier: Apache-2.0

/// What can happen to the bytes of a connection at one point of one direction.
enum Fault: String, CaseIterable, Codable, Sendable {
    /// What follows comes later.
    case delay
    /// What follows comes byte by byte.
    case split
    /// What follows comes a little at a time.
    case cap
    /// The connection breaks, for both sides.
    case reset
    /// Nothing follows, and the receiver is told so.
    case halfClose
    /// The next byte is another one.
    case corrupt
    /// Nothing follows, and nobody is told.
    case stall

    /// Whether everything arrives in the end as it was sent.
    var isHarmless: Bool { [.delay, .split, .cap].contains(self) }
}

/// The two directions of a connection.
enum Direction: String, CaseIterable, Codable, Sendable {
    case toServer, toClient
}

/// Points of a direction's bytes, told by what HTTP/2 and gRPC have there; each is the first of its kind.
enum Moment: String, CaseIterable, Codable, Sendable {
    case start, insideStart
    case beforeHeaders, insideHeaders, afterHeaders
    case insidePrefix, insideMessage, betweenMessages
    case beforeEnd, insideEnd, afterEnd
}

/// Finds a moment in the bytes of one direction. Knows no I/O.
///
/// Frames' heads are nine bytes, of which a cut one waits for its rest. Source: RFC 9113, section 4.1.
struct MomentWatch {
    private let moment: Moment
    private let messageSize: Int
    private var prefaceLeft: Int
    private var payloadLeft = 0
    private var position = 0
    private var dataSeen = 0
    private var headersSeen = 0
    // Where the moment is, once that is known.
    private var target: Int?

    private static let headSize = 9

    /// - Parameter messageSize: the bytes of each gRPC message, its prefix included.
    init(_ moment: Moment, _ direction: Direction, messageSize: Int) {
        self.moment = moment
        self.messageSize = messageSize
        prefaceLeft = direction == .toServer ? RawPeer.preface.count : 0
        if moment == .start { target = 0 }
        if moment == .insideStart { target = direction == .toServer ? 10 : 5 }
    }

    /// The moment before a byte, whatever it belongs to.
    init(byte offset: Int) {
        moment = .start
        messageSize = 0
        prefaceLeft = .max
        target = offset
    }

    /// Takes in bytes.
    ///
    /// - Returns: how many of them were understood (the rest is to be brought again, with more behind it), and the
    ///   offset among them at which the moment is, if it is there.
    mutating func take(_ bytes: [UInt8]) -> (understood: Int, cut: Int?) {
        let begin = position
        var offset = 0
        while true {
            let skipped = min(prefaceLeft + payloadLeft, bytes.count - offset)
            skip(skipped)
            offset += skipped
            guard prefaceLeft + payloadLeft == 0, bytes.count - offset >= Self.headSize else { break }
            enter(Array(bytes[offset..<offset + Self.headSize]))
            position += Self.headSize
            offset += Self.headSize
        }
        return (offset, cut(begin))
    }

    private mutating func cut(_ begin: Int) -> Int? {
        guard let found = target, found <= position else { return nil }
        target = nil
        return max(0, found - begin)
    }

    private mutating func skip(_ count: Int) {
        let ofPreface = min(prefaceLeft, count)
        prefaceLeft -= ofPreface
        payloadLeft -= count - ofPreface
        position += count
    }

    // A frame begins at `position`.
    private mutating func enter(_ head: [UInt8]) {
        let size = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        payloadLeft = size
        let kind = RawFrame.Kind(rawValue: head[3])
        guard kind == .headers || kind == .data, target == nil else { return }
        let ends = head[4] & RawFrame.endStream != 0
        if let place = place(isHeaders: kind == .headers, ends: ends, size: size) { target = position + place }
        if kind == .headers { headersSeen += 1 } else { dataSeen += size }
    }

    private func place(isHeaders: Bool, ends: Bool, size: Int) -> Int? {
        let middle = Self.headSize / 2 + size / 2
        switch moment {
        case .start, .insideStart: return nil
        case .beforeHeaders: return isHeaders && headersSeen == 0 ? 0 : nil
        case .insideHeaders: return isHeaders && headersSeen == 0 ? middle : nil
        case .afterHeaders: return isHeaders && headersSeen == 0 ? Self.headSize + size : nil
        case .insidePrefix: return isHeaders ? nil : data(at: 2, size)
        case .insideMessage: return isHeaders ? nil : data(at: messageSize / 2, size)
        case .betweenMessages: return isHeaders ? nil : data(at: messageSize, size)
        case .beforeEnd: return ends ? 0 : nil
        case .insideEnd: return ends ? middle : nil
        case .afterEnd: return ends ? Self.headSize + size : nil
        }
    }

    private func data(at offset: Int, _ size: Int) -> Int? {
        (dataSeen..<dataSeen + size).contains(offset) ? Self.headSize + offset - dataSeen : nil
    }
}

/// One direction of a connection with at most one fault: bytes in, steps out. Knows no I/O.
struct FaultLine {
    enum Step: Equatable {
        case bytes([UInt8])
        case strike(Fault)
    }

    private let fault: Fault?
    private var watch: MomentWatch?
    // The beginning of a frame's head.
    private var held: [UInt8] = []
    private var corruptsNext = false
    private(set) var hasStruck = false

    /// Without a fault.
    static let clean = FaultLine()

    private init() { fault = nil }

    init(_ fault: Fault, at watch: MomentWatch) {
        self.fault = fault
        self.watch = watch
    }

    mutating func pass(_ bytes: [UInt8]) -> [Step] {
        guard let fault, watch != nil else { return steps([corrupted(bytes)]) }
        let all = held + bytes
        guard let (understood, cut) = watch?.take(all) else { return steps([all]) }
        guard let cut else {
            held = Array(all[understood...])
            return steps([Array(all[..<understood])])
        }
        held = []
        watch = nil
        hasStruck = true
        corruptsNext = fault == .corrupt
        return steps([Array(all[..<cut])]) + [.strike(fault)] + steps([corrupted(Array(all[cut...]))])
    }

    private func steps(_ pieces: [[UInt8]]) -> [Step] { pieces.filter { !$0.isEmpty }.map(Step.bytes) }

    private mutating func corrupted(_ bytes: [UInt8]) -> [UInt8] {
        guard corruptsNext, !bytes.isEmpty else { return bytes }
        corruptsNext = false
        return [bytes[0] ^ 0xff] + bytes[1...]
    }
}
