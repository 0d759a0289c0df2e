"""A small autograd engine on numpy that speaks PyTorch's names, prints and error words."""
