// SPDX-License-Identifier: Apache-2.0

/// A way to make messages smaller. Called from many threads at once, for each message anew: nothing of one message may
/// be needed to read another. Source: gRPC over HTTP/2, *Message-Encoding*.
public protocol Compressor: Sendable {
    /// The name on the wire.
    var compression: Compression { get }

    /// The message in fewer bytes; nil when that cannot be had, and the message is sent as it is.
    ///
    /// - Throws: why compression failed.
    func compress(_ message: MessageBytes) throws(RPCError) -> [UInt8]?

    /// The message that was compressed. The bytes come from a peer and may be anything.
    ///
    /// - Parameter limit: the largest result in bytes. It must hold while the result grows, or a peer could fill the
    ///   memory with a few bytes.
    /// - Throws: RESOURCE_EXHAUSTED above `limit`; INTERNAL for bytes that are no compressed message.
    func decompress(_ message: MessageBytes, limit: Int) throws(RPCError) -> [UInt8]
}

/// The compressors that one side of a connection has. Immutable.
public struct Compressors: Sendable {
    private final class Storage: Sendable {
        let all: [any Compressor]
        let names: [[UInt8]]
        let accepted: [UInt8]
        let isStandard: Bool

        init(_ all: [any Compressor]) {
            self.all = all
            names = all.map { Array($0.compression.name.utf8) }
            accepted = Array((["identity"] + all.map(\.compression.name)).joined(separator: ",").utf8)
            isStandard = all.map(\.compression) == [.gzip, .deflate]
        }
    }

    private let storage: Storage

    /// The most compressors that one list may have.
    public static let maximumCount = 32

    /// These compressors.
    ///
    /// A list of more than ``maximumCount``, or with a name that is no lower-case token of HTTP or is `identity`, is a
    /// programmer's error. Of two with the same name the first counts.
    public init(_ compressors: [any Compressor]) {
        precondition(compressors.count <= Self.maximumCount, "more than \(Self.maximumCount) compressors")
        for compressor in compressors {
            let name = compressor.compression.name
            precondition(Self.isLegal(name), "\(name.debugDescription) cannot be the name of a compressor")
        }
        storage = Storage(compressors)
    }

    private static func isLegal(_ name: String) -> Bool {
        !name.isEmpty && name != "identity"
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// No compressor: messages go and come as they are.
    public static let none = Compressors([])

    /// What the compressors are for, in their order.
    public var compressions: [Compression] { storage.all.map(\.compression) }

    /// The compressor with this name; nil if there is none.
    public subscript(compression: Compression) -> (any Compressor)? {
        index(of: compression).map { storage.all[$0] }
    }

    package subscript(index: Int) -> any Compressor { storage.all[index] }

    package func index(of compression: Compression) -> Int? {
        storage.all.firstIndex { $0.compression == compression }
    }

    /// The index of the compressor whose name these bytes are.
    package func index(named name: UnsafeRawBufferPointer) -> Int? {
        storage.names.firstIndex { $0.count == name.count && $0.elementsEqual(name) }
    }

    /// Whether the names are gzip and deflate, as almost always.
    package var isStandard: Bool { storage.isStandard }

    /// All names with `identity` before them, as `grpc-accept-encoding` lists them.
    package var accepted: [UInt8] { storage.accepted }
}
