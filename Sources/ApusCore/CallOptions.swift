// SPDX-License-Identifier: Apache-2.0

/// What a caller may say about one call.
public struct CallOptions: Sendable {
    /// The time that all tries of the call may take together; nil leaves it to the channel's interceptors.
    public var timeout: Duration?
    /// Metadata sent with the call.
    public var metadata: Metadata
    /// Whether the call waits for an endpoint that can be reached, instead of failing at once.
    public var waitForReady: Bool
    /// The largest response message in bytes, after decompression; nil takes the transport's limit (4 MiB).
    public var maximumResponseBytes: Int?
    /// How requests are compressed: by one of the transport's compressors; nil sends them as they are.
    public var compression: Compression?

    /// The options of a call.
    public init(
        timeout: Duration? = nil, metadata: Metadata = Metadata(), waitForReady: Bool = false,
        maximumResponseBytes: Int? = nil, compression: Compression? = nil
    ) {
        self.timeout = timeout
        self.metadata = metadata
        self.waitForReady = waitForReady
        self.maximumResponseBytes = maximumResponseBytes
        self.compression = compression
    }
}
