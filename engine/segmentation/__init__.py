"""From a CT volume to liver and tumor masks on the same grid."""
