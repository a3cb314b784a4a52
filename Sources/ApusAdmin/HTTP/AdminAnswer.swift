// SPDX-License-Identifier: Apache-2.0

/// The statuses that the admin page answers with. Source: RFC 9110, section 15.
package enum AdminStatus: Int, Sendable, Equatable {
    case ok = 200
    case badRequest = 400
    case unauthorized = 401
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case contentTooLarge = 413
    case misdirected = 421
    case headTooLarge = 431
    case unavailable = 503
    case versionNotSupported = 505

    package var phrase: String {
        switch self {
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .unauthorized: "Unauthorized"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .requestTimeout: "Request Timeout"
        case .contentTooLarge: "Content Too Large"
        case .misdirected: "Misdirected Request"
        case .headTooLarge: "Request Header Fields Too Large"
        case .unavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }
}

/// An answer to one request.
package struct AdminAnswer: Sendable, Equatable {
    package var status: AdminStatus
    package var contentType: String
    package var body: String
    /// Besides those that all answers have.
    package var fields: [String: String] = [:]

    package init(
        _ status: AdminStatus = .ok, _ body: String, contentType: String = "text/plain; charset=utf-8",
        fields: [String: String] = [:]
    ) {
        self.status = status
        self.body = body
        self.contentType = contentType
        self.fields = fields
    }

    /// An answer that says no more than its status, and why.
    package init(_ status: AdminStatus, because reason: String? = nil) {
        self.init(status, "\(status.phrase)\(reason.map { ": \($0)" } ?? "")\n")
        switch status {
        case .unauthorized: fields["WWW-Authenticate"] = "Bearer realm=\"admin\""
        case .methodNotAllowed: fields["Allow"] = "GET, HEAD"
        case .unavailable: fields["Retry-After"] = "1"
        default: break
        }
    }

    /// The answer as it goes over the wire, without its content for HEAD.
    package func bytes(headOnly: Bool = false) -> [UInt8] {
        let content = Array(body.utf8)
        let length = contentType == Self.events ? nil : content.count
        return Self.head(status, contentType, fields, length: length) + (headOnly ? [] : content)
    }

    /// The type of a stream of events, which has no length.
    package static let events = "text/event-stream; charset=utf-8"

    /// The head of an answer; one without a length goes on until the connection ends.
    package static func head(
        _ status: AdminStatus, _ contentType: String, _ fields: [String: String] = [:], length: Int? = nil
    ) -> [UInt8] {
        var all = [
            "Cache-Control": "no-store", "Connection": "close", "Content-Type": contentType,
            "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        ]
        all["Content-Length"] = length.map { "\($0)" }
        all.merge(fields) { $1 }
        let lines = all.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
        return Array("HTTP/1.1 \(status.rawValue) \(status.phrase)\r\n\(lines)\r\n".utf8)
    }

    /// An event of a stream of them. Source: HTML, *Server-sent events*.
    package static func event(_ text: String) -> [UInt8] {
        let lines = text.split(separator: "\n").map { "data: \($0)\n" }.joined()
        return Array("\(lines)\n".utf8)
    }
}
