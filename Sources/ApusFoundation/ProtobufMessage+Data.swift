// SPDX-License-Identifier: Apache-2.0

public import ApusCore
public import ApusProtobuf

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension ProtobufMessage {
    /// The message in the data, which is read where it is.
    ///
    /// - Throws: INTERNAL for bytes that are no such message, RESOURCE_EXHAUSTED past the memory budget.
    public init(serialized data: Data) throws(RPCError) {
        let decoded: Result<Self, RPCError> = data.withUnsafeBytes { bytes in
            Result { () throws(RPCError) in try ProtobufCodec<Self>.decode(bytes) }
        }
        self = try decoded.get()
    }

    /// The message in its binary form, copied once.
    ///
    /// - Throws: RESOURCE_EXHAUSTED over 2 GiB, INTERNAL for messages nested deeper than 100.
    public func serializedData() throws(RPCError) -> Data { Data(try serialized()) }

    /// The message that JSON describes, copied once.
    ///
    /// - Throws: INVALID_ARGUMENT for data that is no UTF-8, and for JSON that is no such message.
    public init(json data: Data, _ options: JSONDecodingOptions = JSONDecodingOptions()) throws(RPCError) {
        try self.init(json: [UInt8](data), options)
    }

    /// The message as JSON, in UTF-8.
    ///
    /// - Throws: INVALID_ARGUMENT for what JSON has no form for, such as a time after the year 9999.
    public func jsonData(_ options: JSONEncodingOptions = JSONEncodingOptions()) throws(RPCError) -> Data {
        Data(try jsonString(options).utf8)
    }
}
