// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// A policy that works beside the calls that it sends on: it watches endpoints, or has ejected some.
///
/// Released, it ends that by itself. But a call that waits keeps its policies for as long as it likes: who replaces a
/// policy ends it.
package protocol EndingPolicy: ClientInterceptor {
    /// Ends the work beside calls for good, and takes back what endpoints have of it. Calls pass as before.
    func end()
}
