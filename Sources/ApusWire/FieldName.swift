// SPDX-License-Identifier: Apache-2.0

/// The header fields that gRPC itself gives a meaning; everything else is metadata.
package enum FieldName {
    case method, scheme, path, authority, status
    case contentType, te, userAgent, host
    case timeout, encoding, acceptEncoding, grpcStatus, grpcMessage, statusDetails
    /// Reserved for gRPC, but unknown here: never shown to users.
    case reserved
    /// Metadata.
    case custom

    /// Tells which field a name from the wire is. nghttp2 has refused upper case already.
    package init(_ name: UnsafeRawBufferPointer) {
        guard let first = name.first else {
            self = .reserved
            return
        }
        switch first {
        case UInt8(ascii: ":"): self = Self.pseudo(name)
        case UInt8(ascii: "g") where name.starts(with: "grpc-"): self = Self.grpc(name)
        case UInt8(ascii: "c") where name.equals("content-type"): self = .contentType
        case UInt8(ascii: "t") where name.equals("te"): self = .te
        case UInt8(ascii: "u") where name.equals("user-agent"): self = .userAgent
        case UInt8(ascii: "h") where name.equals("host"): self = .host
        default: self = .custom
        }
    }

    private static func pseudo(_ name: UnsafeRawBufferPointer) -> FieldName {
        if name.equals(":path") { return .path }
        if name.equals(":method") { return .method }
        if name.equals(":status") { return .status }
        if name.equals(":scheme") { return .scheme }
        return name.equals(":authority") ? .authority : .reserved
    }

    private static func grpc(_ name: UnsafeRawBufferPointer) -> FieldName {
        if name.equals("grpc-status") { return .grpcStatus }
        if name.equals("grpc-timeout") { return .timeout }
        if name.equals("grpc-message") { return .grpcMessage }
        if name.equals("grpc-encoding") { return .encoding }
        if name.equals("grpc-accept-encoding") { return .acceptEncoding }
        if name.equals("grpc-status-details-bin") { return .statusDetails }
        // These belong to interceptors and so to metadata (gRFC A6, A72).
        if name.equals("grpc-retry-pushback-ms") || name.equals("grpc-previous-rpc-attempts") { return .custom }
        return name.equals("grpc-trace-bin") ? .custom : .reserved
    }
}

extension UnsafeRawBufferPointer {
    package func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && starts(with: text)
    }

    package func starts(with text: StaticString) -> Bool {
        let size = text.utf8CodeUnitCount
        guard count >= size else { return false }
        let start = text.utf8Start
        for index in 0..<size where self[index] != start[index] { return false }
        return true
    }

    package func ends(with text: StaticString) -> Bool {
        let size = text.utf8CodeUnitCount
        return count >= size && UnsafeRawBufferPointer(rebasing: self[(count - size)...]).starts(with: text)
    }

    /// The bytes as text; what is no UTF-8 is repaired.
    package var text: String { String(decoding: self, as: UTF8.self) }
}

/// Where header fields to send are put: what a header block of the HTTP/2 layer is to this one.
package protocol FieldSink {
    mutating func add(_ name: StaticString, _ value: StaticString)
    mutating func add(_ name: StaticString, _ value: some Collection<UInt8>)
    /// A value that is different nearly every time.
    mutating func add(unique name: StaticString, _ value: some Collection<UInt8>)
    mutating func add(name: some Collection<UInt8>, value: some Collection<UInt8>)
}

extension FieldSink {
    package mutating func add(unique name: StaticString, _ value: some Collection<UInt8>) { add(name, value) }
}

/// `application/grpc`, alone or followed by `+format` or `;parameters`.
package func isGRPCContentType(_ value: UnsafeRawBufferPointer) -> Bool {
    let base: StaticString = "application/grpc"
    guard value.starts(with: base) else { return false }
    let size = base.utf8CodeUnitCount
    return value.count == size || value[size] == UInt8(ascii: "+") || value[size] == UInt8(ascii: ";")
}
