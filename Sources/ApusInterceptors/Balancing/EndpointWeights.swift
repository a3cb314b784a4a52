// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The weights of a service's endpoints, as balancers' tables use them.
///
/// A registry may say anything. A weight that is no positive finite number (zero, negative, not a number, infinite)
/// counts as zero: the endpoint gets no calls while others that can be reached have a weight. When none has one, all
/// have the same.
enum EndpointWeights {
    static func isUsable(_ weight: Double) -> Bool { weight > 0 && weight.isFinite }

    /// In the order of the handles; the largest is 1.
    static func relative(_ handles: [EndpointHandle]) -> [Double] {
        let weights = handles.map(\.weight).map { isUsable($0) ? $0 : 0 }
        guard let largest = weights.max(), largest > 0 else { return weights.map { _ in 1 } }
        return weights.map { $0 / largest }
    }
}
