// SPDX-License-Identifier: Apache-2.0

import Apus

/// Between JSON and the bytes of messages whose types are known at run time only.
struct MessageTexts: Sendable {
    private let encoding: JSONEncodingOptions
    private let decoding: JSONDecodingOptions
    private let isCompact: Bool

    init(_ types: TypeRegistry, isCompact: Bool = false, _ writesDefaults: Bool = false, _ ignoresUnknown: Bool = false)
    {
        var encoding = JSONEncodingOptions()
        encoding.types = types
        encoding.writesDefaults = writesDefaults
        var decoding = JSONDecodingOptions()
        decoding.types = types
        decoding.ignoresUnknownFields = ignoresUnknown
        (self.encoding, self.decoding, self.isCompact) = (encoding, decoding, isCompact)
    }

    /// The message that the JSON describes.
    ///
    /// - Throws: ``Mistake`` with the place, for JSON that is no such message.
    func message(_ type: MessageSchema, json: [UInt8]) throws(Mistake) -> MessageBytes {
        do throws(RPCError) {
            return MessageBytes(try DynamicMessage(type, json: json, decoding).serializedBytes())
        } catch {
            throw Mistake("\(error.message); 'apus describe' tells the fields of \(type.name)")
        }
    }

    /// A message as JSON, in lines unless it shall be compact.
    func text(_ type: MessageSchema, _ bytes: MessageBytes) throws(RPCError) -> String {
        let json = try DynamicMessage(type, serialized: bytes.bytes).jsonString(encoding)
        return isCompact ? json : JSONLayout.indented(json)
    }
}
