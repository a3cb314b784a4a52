// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// The header block of a request as a server reads it, field by field, with the server's verdict at its end.
package struct RequestHead {
    /// What a server looks fields up in: behind one reference for all requests of a connection.
    package final class Tables: Sendable {
        package let router: Router
        package let compressors: Compressors

        package init(_ router: Router, _ compressors: Compressors) {
            self.router = router
            self.compressors = compressors
        }
    }

    /// What is to be done with the request.
    package enum Verdict {
        /// The method is known: its index in the router.
        case start(Int)
        /// The call ends with this status, Trailers-Only.
        case reject(Status)
        /// Not gRPC.
        case rejectHTTP(HTTPRefusal)
        /// The peer is abusive: end the connection.
        case terminate
    }

    package private(set) var metadata = Metadata()
    /// Nanoseconds that the client will wait; nil when it did not say.
    package private(set) var timeout: Int64?
    /// The index of the compressor that reads the request; nil when its messages are not compressed.
    package private(set) var compressor: Int?
    /// What the client can read.
    package private(set) var accepted = AcceptedEncodings()

    private var route: Int?
    private var path = ""
    private var isPost = false
    private var isHead = false
    private var hasContentType = false
    private var isGRPC = false
    private var hasMalformedTimeout = false
    private var unknownEncoding: String?
    private var budget: FieldBudget
    private var overBudget = FieldBudget.Verdict.fits

    /// - Parameter limit: bytes of the largest header list.
    package init(limit: Int) { budget = FieldBudget(limit: limit) }

    /// Takes one field; the router finds the path from its bytes.
    package mutating func receive(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, _ tables: Tables) {
        overBudget = budget.spend(name: name.count, value: value.count)
        guard case .fits = overBudget else { return }
        switch FieldName(name) {
        case .path:
            route = tables.router.find(value)
            if route == nil { path = value.text }
        case .method:
            isPost = value.equals("POST")
            isHead = !isPost && value.equals("HEAD")
        case .contentType:
            hasContentType = true
            isGRPC = isGRPCContentType(value)
        case .timeout:
            timeout = TimeoutEncoding.decode(value)
            hasMalformedTimeout = timeout == nil
        case .encoding where !value.equals("identity"):
            compressor = tables.compressors.index(named: value)
            unknownEncoding = compressor == nil ? value.text : nil
        case .acceptEncoding: accepted.add(value, tables.compressors)
        case .custom: MetadataEncoding.read(name: name, value: value, into: &metadata)
        default: break
        }
    }

    /// What is to be done, once the block is complete. Mutating only so that nothing is copied to be asked.
    package mutating func verdict() -> Verdict {
        switch overBudget {
        case .abusive: return .terminate
        case .exceeded: return .reject(Status(.resourceExhausted, "the request's metadata is above the limit"))
        case .fits: break
        }
        guard isPost else { return .rejectHTTP(.method(isHead: isHead)) }
        guard isGRPC else { return .rejectHTTP(.contentType(isMissing: !hasContentType)) }
        guard let route else { return .reject(Status(.unimplemented, "unknown method \(path)")) }
        if hasMalformedTimeout { return .reject(Status(.internal, "malformed grpc-timeout")) }
        if let unknownEncoding {
            return .reject(Status(.unimplemented, "grpc-encoding \(unknownEncoding.debugDescription) is not supported"))
        }
        return .start(route)
    }
}
