// SPDX-License-Identifier: Apache-2.0

/// How messages of one type become bytes and come back. Generated code names one; other formats bring their own.
public protocol MessageCodec: Sendable {
    /// The type on the Swift side.
    associatedtype Message: Sendable

    /// The bytes of a message.
    ///
    /// - Throws: an `RPCError` that says what cannot be encoded.
    static func encode(_ message: Message) throws(RPCError) -> MessageBytes

    /// The message in the bytes.
    ///
    /// - Throws: an `RPCError` (INTERNAL for bytes that are no such message, RESOURCE_EXHAUSTED past a limit).
    static func decode(_ bytes: MessageBytes) throws(RPCError) -> Message
}

/// Messages that are plain bytes already: for proxies, tests and services without a schema.
public enum BytesCodec: MessageCodec {
    /// The bytes.
    public static func encode(_ message: MessageBytes) throws(RPCError) -> MessageBytes { message }
    /// The bytes.
    public static func decode(_ bytes: MessageBytes) throws(RPCError) -> MessageBytes { bytes }
}
