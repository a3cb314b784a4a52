// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// The header blocks of a response as a client reads them: informational ones, the head, the trailers.
///
/// Knows the rules by which they make a status; knows nothing of messages.
package struct ResponseHead {
    /// What a complete block means.
    package enum Block {
        /// 1xx: more follows.
        case informational
        /// The response's head; messages or trailers follow.
        case head(Metadata)
        /// The end of the call.
        case end(Status, trailers: Metadata)
        /// Broken: the call ends with this status.
        case broken(Status)
        /// Not gRPC: its body may say why. The call ends with this status unless trailers bring one.
        case foreign(Status)
        /// The block is beyond all limits: the peer is not worth talking to.
        case abusive
    }

    /// The index of the compressor that reads the messages; nil when they are not compressed.
    package private(set) var compressor: Int?

    private var metadata = Metadata()
    private var httpStatus: Int?
    private var code: Status.Code?
    private var message = ""
    private var details: [UInt8] = []
    private var contentType: String?
    private var isGRPC = false
    private var unknownEncoding: String?
    private var hasHead = false
    private var isForeign = false
    private var informational = 0
    private var budget: FieldBudget
    private var overBudget = FieldBudget.Verdict.fits
    private let limit: Int

    private static let maximumInformational = 16

    /// - Parameter limit: bytes of the largest header list.
    package init(limit: Int) {
        self.limit = limit
        budget = FieldBudget(limit: limit)
    }

    /// Takes one field.
    package mutating func receive(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, compressors: Compressors
    ) {
        overBudget = budget.spend(name: name.count, value: value.count)
        guard case .fits = overBudget else { return }
        switch FieldName(name) {
        case .status where !isForeign: httpStatus = Int(value.text)
        case .contentType where !isForeign:
            isGRPC = isGRPCContentType(value)
            if !isGRPC { contentType = value.text }
        case .grpcStatus: code = Int(value.text).flatMap(Status.Code.init(rawValue:)) ?? .unknown
        case .grpcMessage: message = StatusMessageEncoding.decode(value)
        case .statusDetails: details = Base64.decode(value) ?? []
        case .encoding where !hasHead && !value.equals("identity"):
            compressor = compressors.index(named: value)
            unknownEncoding = compressor == nil ? value.text : nil
        case .custom: MetadataEncoding.read(name: name, value: value, into: &metadata)
        default: break
        }
    }

    /// Ends a block.
    package mutating func receiveEnd(endStream: Bool) -> Block {
        defer { startBlock() }
        switch overBudget {
        case .abusive: return .abusive
        case .exceeded:
            return .end(Status(.resourceExhausted, "the response's metadata is above the limit"), trailers: Metadata())
        case .fits: break
        }
        if hasHead || isForeign { return trailers(endStream: endStream) }
        if let httpStatus, (100..<200).contains(httpStatus), !endStream { return informationalBlock() }
        if endStream { return .end(endStatus, trailers: metadata) }
        return head()
    }

    // Whatever such a block says of the call is not meant.
    private mutating func informationalBlock() -> Block {
        let count = informational + 1
        self = ResponseHead(limit: limit)
        informational = count
        return count > Self.maximumInformational ? .abusive : .informational
    }

    private mutating func head() -> Block {
        // grpc-status wins over everything else, even in a head that should have ended the stream.
        if code != nil { return .end(endStatus, trailers: metadata) }
        guard httpStatus == 200, isGRPC else {
            isForeign = true
            return .foreign(foreignStatus)
        }
        if let unknownEncoding {
            let text = "the server compressed with \(unknownEncoding.debugDescription), which was not offered"
            return .broken(Status(.internal, text))
        }
        hasHead = true
        return .head(metadata)
    }

    private func trailers(endStream: Bool) -> Block {
        guard endStream else { return .broken(Status(.internal, "a second header block came without END_STREAM")) }
        return .end(endStatus, trailers: metadata)
    }

    private var endStatus: Status {
        // Nothing in front of it was an answer, so that it cannot have been a success.
        if isForeign, code == nil || code == .ok { return foreignStatus }
        if let code { return Status(code, message, details: details) }
        if hasHead { return Self.missingStatus }
        return foreignStatus
    }

    /// The status of a stream that ended without one.
    package static let missingStatus = Status(.unknown, "the stream ended without grpc-status")

    private var foreignStatus: Status {
        let status = httpStatus ?? 0
        let type = contentType.map { ", content-type \($0.prefix(100).debugDescription)" } ?? ""
        return Status(StatusMapping.code(http: status), "not a gRPC response: HTTP status \(status)\(type)")
    }

    private mutating func startBlock() {
        metadata = Metadata()
        budget = FieldBudget(limit: limit)
    }
}
