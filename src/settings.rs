//! Each setting with its value and where it came from: default < user < machine < tenant.
