// SPDX-License-Identifier: Apache-2.0

import ApusCore
import COpenSSL

/// OpenSSL's queue of errors, which each thread has its own of, as text for people.
enum OpenSSLError {
    /// Forgets what earlier calls left. Source: SSL_get_error(3): the queue must be empty before an operation.
    static func clear() { ERR_clear_error() }

    /// The earliest error of the queue, which is its cause; the queue is empty afterwards.
    static func take() -> UInt {
        defer { ERR_clear_error() }
        return ERR_get_error()
    }

    /// OpenSSL's own words for the earliest error; the queue is empty afterwards.
    static func text() -> String { text(take()) }

    static func text(_ code: UInt) -> String {
        guard code != 0 else { return "no reason given" }
        if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
        return "error \(String(code, radix: 16, uppercase: true))"
    }

    /// Throws unless `ok`: for what fails only when memory is out, or OpenSSL was built without it.
    static func check(_ ok: Bool, _ what: @autoclosure () -> String) throws(RPCError) {
        if !ok { throw RPCError(.internal, "\(what()): \(text())", progress: .notConnected) }
    }
}

/// Why a TLS connection failed: OpenSSL's reasons and the peer's alerts in plain words.
enum TLSFailure {
    // An alert from the peer arrives as a reason of this number and its own. Source: ssl.h, SSL_AD_REASON_OFFSET.
    private static let alertOffset: Int32 = 1000

    /// - Parameters:
    ///   - peer: `server` or `client`: who is on the other side.
    static func text(_ code: UInt, peer: String) -> String {
        let reason = ERR_GET_REASON(code)
        if reason > alertOffset, reason < alertOffset + 256 { return alert(reason - alertOffset, peer: peer) }
        switch reason {
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "the \(peer) sent no certificate"
        case SSL_R_NO_APPLICATION_PROTOCOL: return "the \(peer) does not speak HTTP/2 (ALPN)"
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION:
            return "the \(peer) has no version of TLS that is allowed here (1.2 or later)"
        case SSL_R_NO_SHARED_CIPHER: return "the \(peer) and this side have no cipher in common"
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_HTTP_REQUEST:
            return "the \(peer) does not speak TLS"
        case SSL_R_UNEXPECTED_EOF_WHILE_READING: return "the \(peer) closed the connection during the handshake"
        default: return "TLS failed: \(OpenSSLError.text(code))"
        }
    }

    // RFC 8446, section 6.2.
    private static func alert(_ number: Int32, peer: String) -> String {
        switch number {
        case SSL_AD_CERTIFICATE_REQUIRED: "the \(peer) asks for a certificate and got none"
        case SSL_AD_UNKNOWN_CA: "the \(peer) does not trust the authority that signed this side's certificate"
        case SSL_AD_CERTIFICATE_EXPIRED: "the \(peer) says that this side's certificate has expired"
        case SSL_AD_CERTIFICATE_REVOKED: "the \(peer) says that this side's certificate was revoked"
        case SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_UNKNOWN:
            "the \(peer) does not accept this side's certificate"
        case SSL_AD_NO_APPLICATION_PROTOCOL: "the \(peer) does not speak HTTP/2 (ALPN)"
        case SSL_AD_PROTOCOL_VERSION: "the \(peer) takes no version of TLS that this side has"
        case SSL_AD_UNRECOGNIZED_NAME: "the \(peer) has no certificate for that name"
        default: "the \(peer) ended TLS with the alert \"\(String(cString: SSL_alert_desc_string_long(number)))\""
        }
    }
}
