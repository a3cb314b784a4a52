// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// The header blocks of a response.
enum ResponseBlocks {
    /// The head of a response without metadata.
    static let head: HeaderBlock = {
        var block = HeaderBlock()
        block.add(":status", "200")
        block.add("content-type", "application/grpc")
        return HeaderBlock(PreparedFields(block))
    }()

    /// The trailers of a call that succeeded and has nothing to add.
    static let okTrailers: HeaderBlock = {
        var block = HeaderBlock()
        ResponseFields.writeStatus(.ok, Metadata(), compressors: .none, to: &block)
        return HeaderBlock(PreparedFields(block))
    }()

    /// What a response ends with that has too much metadata: nghttp2 drops such a block without a word, and the client
    /// would wait for ever.
    static let tooLarge = Status(
        .resourceExhausted, "the response's metadata is above \(HeaderBlock.maximumListSize) bytes")

    /// The head of a response whose handler has said something.
    ///
    /// - Throws: for metadata that cannot be sent.
    static func starting(_ head: ResponseNotes.Head, _ compressors: Compressors) throws(RPCError) -> HeaderBlock {
        var block = Self.head
        if let compressor = head.compressor {
            block.add("grpc-encoding", compressors[compressor].compression.name.utf8)
        }
        guard !head.metadata.isEmpty else { return block }
        try MetadataEncoding.write(head.metadata, to: &block)
        if block.listSize > HeaderBlock.maximumListSize { throw RPCError(tooLarge) }
        return block
    }

    /// The block with a call's end added.
    static func ending(_ block: HeaderBlock, _ end: ServerStream.End, _ compressors: Compressors) -> HeaderBlock {
        var fields = block
        ResponseFields.writeStatus(end.status, end.metadata, compressors: compressors, to: &fields)
        guard fields.listSize > HeaderBlock.maximumListSize else { return fields }
        fields = block
        ResponseFields.writeStatus(tooLarge, Metadata(), compressors: compressors, to: &fields)
        return fields
    }
}
