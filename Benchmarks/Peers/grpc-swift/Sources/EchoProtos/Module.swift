// SPDX-License-Identifier: Apache-2.0
// The rest of this module is generated when the package is built.
