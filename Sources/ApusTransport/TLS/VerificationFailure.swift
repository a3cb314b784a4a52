// SPDX-License-Identifier: Apache-2.0

import ApusCore
import COpenSSL

/// Why a certificate was not accepted, in words.
enum VerificationFailure {
    /// - Parameters:
    ///   - code: one of `X509_V_ERR_…`.
    ///   - certificate: the one at fault.
    ///   - depth: 0 for the peer's own, higher for those that signed it.
    ///   - expected: the name that it should be for.
    ///   - peer: `server` or `client`.
    static func text(
        _ code: Int32, _ certificate: Certificate?, depth: Int32, expected: String, peer: String
    ) -> String {
        let whose = depth == 0 ? "the \(peer)'s certificate" : "an authority of the \(peer)'s certificate"
        let named = certificate.map { "\(whose) (\(printable($0.subject)))" } ?? whose
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "\(whose) expired \(span(-(certificate?.secondsUntilExpiry ?? 0))) ago"
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "\(whose) is not valid until \(span(certificate?.secondsUntilValid ?? 0)) from now"
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "\(whose) is for \(names(certificate)), not \(expected)"
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "\(named) is signed by itself, not by a trusted authority"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return "\(named) is not signed by a trusted authority"
        case X509_V_ERR_INVALID_PURPOSE:
            return "\(named) is not meant for a TLS \(peer)"
        case X509_V_ERR_CERT_REVOKED:
            return "\(named) was revoked"
        default:
            return "\(named) is not acceptable: \(String(cString: X509_verify_cert_error_string(Int(code))))"
        }
    }

    // A few names are enough to see what went wrong.
    private static let namesShown = 4

    private static func names(_ certificate: Certificate?) -> String {
        let names = certificate?.names
        let all = (names.map { $0.dns + $0.ip } ?? []).map(printable)
        if all.isEmpty { return "no host name at all" }
        let shown = all.prefix(namesShown).joined(separator: ", ")
        return all.count > namesShown ? "\(shown) and \(all.count - namesShown) more" : shown
    }

    /// Seconds as people say them: `3 days`, `1 hour`.
    static func span(_ seconds: Int) -> String {
        let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")]
        let (size, unit) = units.first { seconds >= $0.0 } ?? (1, "second")
        let count = max(0, seconds / size)
        return count == 1 ? "1 \(unit)" : "\(count) \(unit)s"
    }

    // The peer chose the text, which goes to logs: one line of it, and not a page.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(100).map { $0.value < 0x20 ? "?" : $0 }))
    }
}
