// SPDX-License-Identifier: Apache-2.0

/// Where configuration documents come from: a value, a file, a registry.
public protocol ConfigSource: Sendable {
    /// What people read of the source in errors: a file's path, for example.
    var name: String { get }

    /// The document that is there now, then each later one; every call starts anew. Of those that nobody read in time
    /// only the newest is kept. Ends when no other document can follow, or when the reader stops.
    ///
    /// A failure says that the document cannot be read now: the last good one is then the best that is known.
    func documents() -> AsyncStream<Result<[UInt8], RPCError>>
}

/// One document that never changes.
public struct FixedConfig: ConfigSource {
    /// What people read of it in errors.
    public let name: String
    private let bytes: [UInt8]

    /// A document.
    public init(_ text: String, name: String = "the program") {
        self.name = name
        bytes = Array(text.utf8)
    }

    /// The document, and no other.
    public func documents() -> AsyncStream<Result<[UInt8], RPCError>> {
        let (stream, continuation) = AsyncStream.makeStream(of: Result<[UInt8], RPCError>.self)
        continuation.yield(.success(bytes))
        continuation.finish()
        return stream
    }
}

/// Documents and failures that a source keeps for its reader. Not only the newest: a failure must not push out a document
/// that nobody has seen.
package var configBacklog: Int { 16 }
